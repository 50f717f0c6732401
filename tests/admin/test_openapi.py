"""The description of the API: complete, the one that is committed, and true of the real app, which schemathesis asks."""

from __future__ import annotations

import json
import re

import jsonschema
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from nexus_middleware import Nexus, Settings
from nexus_middleware.admin.api import RESOURCES
from nexus_middleware.admin.described import DESCRIPTIONS
from nexus_middleware.admin.openapi import document, undescribed
from tests.admin.conftest import API, TOKEN
from tests.admin.openapi import COMMITTED, lost, text
from tests.helpers import Origin

DOCUMENT = document(RESOURCES)


def test_every_handler_says_what_it_answers():
    assert undescribed(RESOURCES) == []


def test_the_committed_description_is_that_of_the_code():
    assert COMMITTED.read_text() == text(DOCUMENT), "write it anew: python -m tests.admin.openapi"


def test_a_field_that_was_removed_or_has_another_type_is_noticed():
    narrower = json.loads(json.dumps(DOCUMENT))
    del narrower["components"]["schemas"]["Memory"]["properties"]["heapUsedMB"]
    narrower["components"]["schemas"]["Cpu"]["properties"]["percent"] = {"type": "string"}
    del narrower["paths"]["/me"]

    assert lost(DOCUMENT, DOCUMENT) == []
    assert lost(DOCUMENT, narrower) == [
        "/components/schemas/Cpu/properties/percent/type: 'number' became 'string'",
        "/components/schemas/Memory/properties/heapUsedMB is gone",
        "/paths/~1me is gone",
    ]


def test_its_schemas_are_json_schema_and_its_references_lead_somewhere():
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT))

    assert set(names) == set(DOCUMENT["components"]["schemas"])
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_names_of_operations_are_each_given_once():
    names = [each["operationId"] for item in DOCUMENT["paths"].values() for each in item.values()]

    assert len(names) == len(set(names)) == sum(len(resource.actions) for resource in RESOURCES.values())


EXAMPLES = [(run, told) for run, told in DESCRIPTIONS.items() if told.example is not None]


@pytest.mark.parametrize(("run", "told"), EXAMPLES, ids=[told.answer.__name__ for _, told in EXAMPLES])
def test_an_example_has_every_field_of_its_type(run, told):
    assert msgspec.to_builtins(msgspec.convert(told.example, told.answer)) == told.example


def test_it_is_served_to_who_may_look(desk):
    assert desk.json("/openapi.json") == json.loads(text(DOCUMENT))
    assert desk.problem("/openapi.json", headers=())["status"] == 401


# The real app, asked by schemathesis ------------------------------------------------------------


load_all_checks()
APART = CHECKS.get_by_names(["ignored_auth"])  # it sends wrong tokens, and five of them shut the caller out
FREE = CHECKS.get_by_names(["positive_data_acceptance"])  # no schema says what a text of rules must be
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {f"{each.ok().method.upper()} {each.ok().path}": each.ok() for each in SCHEMA.get_all_operations()}
del OPERATIONS["POST /sign-in"]  # five wrong tokens shut the caller out, as tests/admin/test_access.py tries


@pytest.fixture(scope="module")
def served(redis_server):
    options = {"namespace": "described", "rate_limit": "", "log_level": "error"}
    nexus = Nexus(Origin().asgi, Settings(admin_token=TOKEN, store=redis_server.url, **options))
    nexus.cache.set("course:1", {"title": "A"})
    nexus.monitor.track_api("GET /courses/{id}", 1500, 200)
    nexus.monitor.track_db("select 1", 5)
    nexus.security.block("192.0.2.7", reason="tried")
    nexus.runtime.queues.queue_notification(user_id="1", type="t", title="T", message="m")
    yield nexus
    nexus.runtime.close()


def check(served, operation, mode, most, apart=()):
    operation.app = served

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        assume(not {"tag"} < set(case.query or {}))  # a tag is asked for alone, which no schema of parameters can say
        case.call_and_validate(
            base_url=f"http://testserver{API}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            excluded_checks=[*APART, *apart],
        )

    ask()


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_fits_the_description_is_answered_as_described(served, name):
    check(
        served, OPERATIONS[name], schemathesis.GenerationMode.POSITIVE, 3, apart=FREE if name == "POST /rules" else ()
    )


CHOOSY = [name for name, each in OPERATIONS.items() if len(each.query) or len(each.body)]


@pytest.mark.parametrize("name", CHOOSY)
def test_what_does_not_fit_the_description_is_a_problem(served, name):
    check(served, OPERATIONS[name], schemathesis.GenerationMode.NEGATIVE, 2)


ASKED = [(path, method) for path, resource in RESOURCES.items() for method in resource.actions]


@pytest.mark.parametrize(("path", "method"), ASKED, ids=[f"{method} {path}" for path, method in ASKED])
def test_without_redis_no_address_fails(make, path, method):
    desk = make()
    del desk.nexus.runtime.__dict__["queues"]  # the double

    seen = desk.ask(re.sub(r"\{\w+(:path)?\}", "1", path), method=method, body={} if method != "GET" else b"")

    assert seen.status < 500, seen.body
