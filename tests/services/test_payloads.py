"""What a job takes: how its function's signature is read, and how a wrong payload is told."""

from dataclasses import dataclass
from datetime import date

import msgspec
import pytest

from nexus_middleware.errors import PayloadError, SettingsError
from nexus_middleware.services.jobs.payloads import known
from nexus_middleware.services.jobs.registry import Permanent, Work
from nexus_middleware.settings import Settings


def job(function):
    return known(function, name="act", queue="own-queue")


def work(**payload):
    return Work(id="7", attempt=1, payload=payload, settings=Settings(), once=None)


class Picture(msgspec.Struct):
    number: int
    sizes: list[str] = []


@dataclass
class Film:
    number: int


def test_fields_are_given_as_the_types_that_are_annotated():
    got = []

    def act(when: date, count: int = 3, *, anything=None):
        got.append((when, count, anything))

    known_job = job(act)
    payload = known_job.check({"when": date(2026, 1, 2), "anything": {"a": [1]}})
    assert payload == {"when": "2026-01-02", "anything": {"a": [1]}}
    known_job.run(work(**payload))
    assert got == [(date(2026, 1, 2), 3, {"a": [1]})]


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"number": "x"}, "job 'act', number: expected `int`, got `str`"),
        ({}, "job 'act': object missing required field `number`"),
        ({"number": 1, "colour": "red"}, "job 'act' takes no colour: it takes number, sizes"),
        ({"number": 1, "sizes": ["a", 2]}, r"job 'act', sizes\[1\]: expected `str`, got `int`"),
        ({"number": object()}, "job 'act', number: this cannot be JSON"),
    ],
)
def test_a_wrong_payload_names_the_job_and_the_field(payload, told):
    def by_fields(number: int, sizes: list[str] = ()): ...
    def by_record(work: Work, picture: Picture): ...

    for function in (by_fields, by_record):
        with pytest.raises(PayloadError, match=told):
            job(function).check(payload)


def test_a_record_is_the_whole_payload_and_the_run_is_given_to_who_asks():
    got = []

    def act(run: Work, film: Film):
        got.append((run.id, film))

    job(act).run(work(number=1))
    assert got == [("7", Film(1))]


def test_an_async_function_is_run_to_its_end():
    async def act(number: int):
        return number + 1

    assert job(act).run(work(number=1)) == 2


def test_more_fields_are_taken_by_a_function_that_takes_any():
    def act(number: int, **rest):
        return number, rest

    assert job(act).check({"number": 1, "more": 2}) == {"number": 1, "more": 2}
    assert job(act).run(work(number=1, more=2)) == (1, {"more": 2})


def test_a_payload_of_another_version_fails_for_good():
    def act(number: int): ...

    with pytest.raises(Permanent, match="number"):
        job(act).run(work(number="x"))


def test_a_function_that_cannot_be_called_by_name_is_refused():
    with pytest.raises(SettingsError, match="must take a by name"):
        job(lambda a, /: a)

    def act(number: "Nowhere"): ...  # noqa: F821

    with pytest.raises(SettingsError, match="annotations"):
        job(act)
