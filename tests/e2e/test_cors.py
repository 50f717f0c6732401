"""A real browser decides: whose page may read what a stack with CORS and API keys answers."""

import pytest

from nexus_middleware import Nexus, Settings
from tests.helpers import Answer, Origin

ASK = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return [answer.status, await answer.text(), answer.headers.get("x-request-id") !== null];
    } catch (error) { return [error.name]; }
}"""
WITH_KEY = {"headers": {"x-api-key": "the key of the shop", "content-type": "application/json"}}


@pytest.fixture
def shop(serve):
    return serve(Origin(lambda path, headers: Answer(headers=[("content-type", "text/html")])).asgi)


@pytest.fixture
def api(serve, shop):
    keys = ("the key of the shop",)
    origin = Origin(lambda path, headers: Answer([b"a course"], headers=[("content-type", "text/plain")]))
    nexus = Nexus(origin.asgi, Settings(cors_origins=(shop.base,), api_keys=keys, log_level="error"))
    yield serve(nexus)
    nexus.runtime.close()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_the_allowed_page_reads_answers_preflighted_ones_and_refusals_too(page, shop, api):
    page.goto(shop.base)

    def ask(path, **options):
        return page.evaluate(ASK, [api.base + path, options])

    assert ask("/open") == [200, "a course", True]
    assert ask("/api/x", method="PUT", body="{}", **WITH_KEY) == [200, "a course", True]
    assert ask("/api/x")[0] == 401
    assert ask("/api/x", headers={"x-unheard-of": "1"}) == ["TypeError"]
    assert ask("/open", credentials="include") == ["TypeError"]


def test_the_page_of_another_origin_and_a_sandboxed_one_read_nothing(page, shop, api):
    page.goto(shop.base.replace("127.0.0.1", "localhost"))
    assert page.evaluate(ASK, [api.base + "/open", {}]) == ["TypeError"]
    assert page.evaluate(ASK, [api.base + "/api/x", WITH_KEY]) == ["TypeError"]

    page.goto(shop.base)
    page.set_content("<iframe sandbox='allow-scripts' srcdoc='<p>null</p>'></iframe>")
    sandboxed = page.frame_locator("iframe").locator("p")
    sandboxed.wait_for()
    assert page.frames[1].evaluate(ASK, [api.base + "/open", {}]) == ["TypeError"]
