"""FastAPI's own pages, Swagger UI and ReDoc, in a real browser under `strict` with the preset `docs` for their paths."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from nexus_middleware import SecurityHeaders

# What the real bundles do that a policy may forbid: inline styles, data: images, workers from blob:, asking our server.
BUNDLE = """
const made = document.createElement("p");
made.setAttribute("style", "color: rgb(1, 2, 3)");
document.body.append(made);
const sheet = document.createElement("style");
sheet.textContent = "p { margin-left: 7px }";
document.head.append(sheet);
const image = new Image();
image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
document.body.append(image);
const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
worker.onmessage = () => fetch("/openapi.json").then(r => r.json()).then(api => {
    made.textContent = api.info.title; made.id = "made";
});
window.SwaggerUIBundle = Object.assign(() => { window.begun = true; }, {presets: {}, SwaggerUIStandalonePreset: {}});
"""
KINDS = {"js": "text/javascript", "css": "text/css", "png": "image/png", "svg": "image/svg+xml"}


@pytest.fixture
def visitor(browser):
    context = browser.new_context()
    page = context.new_page()
    page.complaints, page.elsewhere = [], []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))

    def stand_in(route):
        url = route.request.url
        page.elsewhere.append(url)
        kind = KINDS.get(url.partition("?")[0].rpartition(".")[2], "text/css")
        route.fulfill(status=200, content_type=kind, body=BUNDLE if kind == "text/javascript" else "")

    page.route(lambda url: not url.startswith("http://127.0.0.1"), stand_in)
    yield page
    context.close()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_page_loads_what_it_needs_and_breaks_no_policy(serve, visitor, path):
    site = FastAPI(title="The shop")
    served = serve(SecurityHeaders(site, preset="strict", paths={"/docs": "docs", "/redoc": "docs"}))

    visitor.goto(served.base + path)
    visitor.wait_for_selector("#made")

    assert visitor.inner_text("#made") == "The shop"
    assert visitor.evaluate("getComputedStyle(document.getElementById('made')).color") == "rgb(1, 2, 3)"
    assert visitor.evaluate("getComputedStyle(document.getElementById('made')).marginLeft") == "7px"
    assert any("cdn.jsdelivr.net" in url for url in visitor.elsewhere)
    assert visitor.complaints == []


def test_under_strict_alone_the_page_stays_empty_and_the_browser_says_why(serve, visitor):
    served = serve(SecurityHeaders(FastAPI(), preset="strict"))

    visitor.goto(served.base + "/docs")

    assert visitor.elsewhere == []
    assert any("Content Security Policy" in text for text in visitor.complaints)


def test_a_page_under_strict_runs_the_scripts_that_carry_its_nonce_and_no_others(serve, visitor):
    async def app(scope, receive, send):
        nonce = scope["state"]["nexus"].csp_nonce
        text = f'<!doctype html><script nonce="{nonce}">document.title = "good"</script>'
        text += '<script>document.title = "bad"</script><img src=x onerror="document.title = 1">'
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": text.encode()})

    visitor.goto(serve(SecurityHeaders(app, preset="strict")).base)

    assert visitor.title() == "good"
    assert [text for text in visitor.complaints if "inline" in text]
