"""A worker as a user runs it, and a real mail server for it."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from aiosmtpd.controller import Controller

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
APP = """
import os, time
from pathlib import Path
from nexus_middleware.errors import NexusError
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings

settings = Settings.from_env()
queues = Queues(settings.store, settings=settings)

def ledger(name, text):
    with open(name, "a") as file:
        file.write(text + chr(10))

@queues.job("note", queue="content-processing-queue")
def note(text, seconds=0.0):
    ledger("started", text)
    time.sleep(seconds)
    ledger("ended", text)
    return {"noted": text}

@queues.job("anote", queue="own-queue")
async def anote(text):
    ledger("ended", text)

@queues.job("fail", queue="content-processing-queue")
def fail(text):
    ledger("started", text)
    raise ValueError(text)

@queues.job("slow", queue="content-processing-queue", timeout=0.2)
def slow():
    try:
        time.sleep(60)
    except Exception:
        ledger("ended", "swallowed")
"""


def until(holds, *, seconds=30.0, what=""):
    """Wait until `holds()` is true, and return what it said."""
    deadline = time.monotonic() + seconds
    while not (said := holds()):
        assert time.monotonic() < deadline, f"it did not come to be {what}"
        time.sleep(0.02)
    return said


class Worker:
    """`nexus worker` in a process of its own, in a folder of its own."""

    def __init__(self, folder: Path, url: str, **environ: str) -> None:
        self.folder = folder
        (folder / "jobs_app.py").write_text(APP)
        keep = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") and k != "REDIS_URL"}
        self.environ = {**keep, "NEXUS_STORE": url, "PYTHONPATH": str(ROOT), **environ}
        self.queues = Queues(url, settings=Settings(store=url))
        self.process = None

    def start(self, *words: str):
        command = [sys.executable, "-m", "nexus_middleware", "worker", "--app", "jobs_app:queues", *words]
        out = (self.folder / "worker.log").open("ab")
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=out, stderr=out)
        out.close()
        return self

    def ready(self):
        until(lambda: self.queues.stats("email-queue").workers, what=f"a worker: {self.log}")
        return self

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    @property
    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def add(self, name, queue="content-processing-queue", **payload):
        from nexus_middleware.services.jobs.registry import Known

        return self.queues.ledger.add(Known(name=name, queue=queue, run=print), [payload])[0]

    def lines(self, name):
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def job(self, ident):
        return {k.decode(): v for k, v in self.queues.ledger.client.hgetall(f"rq:job:{ident}").items()}

    def status(self, ident):
        return self.job(ident).get("status", b"").decode()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            for child in self.children:
                child.kill()
            self.process.kill()
            self.process.wait()
        self.queues.close()
        self.queues.store.close()


@pytest.fixture
def worker(tmp_path, redis_url, mail_server):
    made = Worker(tmp_path, redis_url, NEXUS_SMTP_URL=mail_server.url, NEXUS_SMTP_FROM="shop@example.org")
    yield made
    made.close()


class MailServer:
    """Takes mail, and answers as `says`."""

    def __init__(self) -> None:
        self.mails, self.says = [], ["250 OK"]
        self.asked, self.pause = threading.Event(), threading.Event()
        self.pause.set()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        self.asked.set()
        await asyncio.to_thread(self.pause.wait, 30)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # the name aiosmtpd calls
        answer = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


@pytest.fixture
def mail_server():
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    server.url = f"smtp://127.0.0.1:{controller.port}"
    yield server
    controller.stop()
