"""The example as `make run` starts it: a mail goes from the web to the mailbox, and nothing is left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def academy(tmp_path):
    port = free_port()
    keep = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") and k != "REDIS_URL"}
    environ = {**keep, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "example_app"], cwd=tmp_path, env=environ, stdout=out, stderr=out
        )
    process.url = f"http://127.0.0.1:{port}"
    process.out, process.environ = tmp_path / "out", environ
    yield process
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def ask(url, payload=None):
    data = None if payload is None else json.dumps(payload).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_purchase_is_mailed_and_a_signal_leaves_no_process(academy, number):
    ask(f"{academy.url}/checkout", {"email": "ann@example.org", "course_id": "1"})
    deadline = time.monotonic() + 30
    while not ask(f"{academy.url}/mail"):
        assert time.monotonic() < deadline, academy.out.read_text()
        time.sleep(0.05)
    children = psutil.Process(academy.pid).children(recursive=True)
    assert {"nexus_middleware", "nexus_middleware.worker.child"} <= {w for c in children for w in c.cmdline()}
    academy.send_signal(number)
    assert academy.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert "Traceback" not in academy.out.read_text()


def test_after_a_kill_its_worker_leaves_and_it_starts_again(academy, tmp_path):
    ask(f"{academy.url}/mail")
    children = psutil.Process(academy.pid).children(recursive=True)
    academy.kill()
    academy.wait()
    _, alive = psutil.wait_procs([c for c in children if not c.name().endswith("-server")], timeout=20)
    assert not alive
    again = subprocess.Popen(academy.args, cwd=tmp_path, env=academy.environ, stdout=subprocess.DEVNULL)
    try:
        ask(f"{academy.url}/checkout", {"email": "ann@example.org", "course_id": "1"})
        deadline = time.monotonic() + 30
        while not ask(f"{academy.url}/mail"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        again.terminate()
        assert again.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=10)  # the server of the first went with the last who used it
    assert not alive


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"PORT": "http"}, "PORT='http' must be a number from 1 to 65535"),
        ({"NEXUS_RATE_LIMIT": "lots"}, "limit='lots' must be like '100/minute'"),
        ({"NEXUS_DENY": "lan"}, "'lan' is no address or network"),
        ({"NEXUS_BODY_LIMITS": "1"}, "did you mean NEXUS_BODY_LIMIT?"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "no Redis answers at redis://127.0.0.1:1/0"),
        ({"NEXUS_SMTP_URL": "mail://host"}, "smtp_url must be smtp://host:port"),
        ({"NEXUS_ENVIRONMENT": "production"}, "in production, name a real one in NEXUS_STORE"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(tmp_path, wrong, told):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") and k != "REDIS_URL"}
    environ = {**keep, "PORT": str(free_port()), "PYTHONPATH": str(ROOT), **wrong}
    command = [sys.executable, "-m", "example_app"]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_port_in_use_is_told(academy, tmp_path):
    ask(f"{academy.url}/mail")
    command = [sys.executable, "-m", "example_app"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=academy.environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "Address already in use): say PORT=8001" in ended.stderr


def test_a_student_s_way_leaves_its_traces_in_every_queue(academy):
    """Lesson, checkout, hand-in, report: what each page promises is there a moment later."""
    ask(f"{academy.url}/mail")
    with httpx.Client(base_url=academy.url, follow_redirects=True, timeout=30) as student:
        student.post("/login", data={"email": "student@example.test", "password": "learn-something"})
        assert student.get("/courses/1/lessons/1").status_code == 200
        assert student.get("/checkout").status_code == 200
        student.post("/checkout", data={"email": "student@example.test", "course_id": "1"})
        student.post("/membership")

        def until(path, text):
            deadline = time.monotonic() + 30
            while text not in (page := student.get(path)).text:
                assert time.monotonic() < deadline, (page.text, academy.out.read_text())
                time.sleep(0.2)
            return page

        until("/account", "Sums that surprise is yours")
        picture = io.BytesIO()
        Image.new("RGB", (600, 400), "teal").save(picture, "PNG")
        handed = student.post("/upload", files={"file": ("work.png", picture.getvalue(), "image/png")})
        until(handed.url.path, "thumbnail-256.webp")
        thumbnail = student.get(f"{handed.url.path}/thumbnail-256.webp")
        assert (thumbnail.headers["content-type"], thumbnail.content[8:12]) == ("image/webp", b"WEBP")
        assert student.post("/upload", files={"file": ("x.sh", b"id", "text/x-sh")}).status_code == 422
        assert student.get("/upload/..%2f..%2fetc/passwd").status_code == 404
        student.post("/report")
        report = until("/report", "revenue.payments.EUR").text
        assert "lesson.viewed&#x27;: 1" in report
        assert "&#x27;net&#x27;: 4900" in report
        assert "&#x27;mrr_end&#x27;: 1900" in report
