"""A mail server for tests, and the job that sends."""

import uuid

import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from nexus_middleware.services.jobs import smtp
from nexus_middleware.services.jobs.known import known_jobs
from nexus_middleware.services.jobs.once import Once
from nexus_middleware.services.jobs.registry import Work
from nexus_middleware.settings import Settings
from tests.conftest import free_port

MAIL = {"to": ["ann@example.org", "Bob <bob@example.org>"], "subject": "Hello", "html": "<p>Hi</p>"}
send = known_jobs().find("email.send").run


class Box:
    """A mail server's mind: takes mail, but not for those who are refused."""

    def __init__(self) -> None:
        self.mails, self.refused, self.port, self.logins = [], {}, 0, []
        self.peers, self.encrypted = set(), []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # the name aiosmtpd calls
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope)
        self.peers.add(session.peer)
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"s@cret", handled=False)


@pytest.fixture
def box():
    made = Box()
    made.port = free_port()
    options = {"authenticator": made.authenticate, "auth_require_tls": False}
    controller = Controller(made, hostname="127.0.0.1", port=made.port, **options)
    controller.start()
    yield made
    smtp.hang_up()
    controller.stop()


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as made:
        yield made


@pytest.fixture
def work(client, box):
    def make(payload=MAIL, *, job="job-1", url=f"smtp://127.0.0.1:{box.port}", sender="shop@example.org"):
        settings = Settings(smtp_url=url, smtp_from=sender)
        once = Once(client, "nexus:1:", uuid.uuid4().hex)
        given = {"client": client, "prefix": "nexus:1:", "key": job}
        return Work(id=job, attempt=1, payload=payload, settings=settings, once=once, **given)

    return make
