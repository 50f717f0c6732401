"""The mail server: what its URL says, and that nobody listens in."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nexus_middleware.errors import SettingsError
from nexus_middleware.services.jobs import smtp
from nexus_middleware.services.jobs.registry import Permanent
from nexus_middleware.services.jobs.smtp import Server
from tests.conftest import free_port
from tests.services.mail import Box, send


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost, and the key of whoever holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(pem))
    return tmp_path


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_connection_is_encrypted_and_the_server_must_be_the_one(work, certificate, scheme, monkeypatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    box, port = Box(), free_port()
    tls = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    controller = Controller(box, hostname="localhost", port=port, **tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    controller.start()
    try:
        assert send(work(url=f"{scheme}://localhost:{port}"))["sent"]
        assert box.encrypted == [True]
        smtp.hang_up()
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ssl.SSLCertVerificationError):
            send(work(job="job-2", url=f"{scheme}://localhost:{port}"))
    finally:
        smtp.hang_up()
        controller.stop()


@pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")  # aiosmtpd's own
def test_the_user_and_password_are_those_of_the_url(work, box):
    url = f"smtp://ann:s%40cret@127.0.0.1:{box.port}"
    assert send(work(url=url))["sent"]
    assert box.logins == [(b"ann", b"s@cret")]
    with pytest.raises(Permanent, match="535"):
        send(work(job="job-2", url=f"smtp://ann:wrong@127.0.0.1:{box.port}"))


def test_a_server_that_cannot_encrypt_is_not_spoken_to_in_clear(work, box):
    with pytest.raises(Permanent, match="cannot"):
        send(work(url=f"smtp+starttls://ann:s%40cret@127.0.0.1:{box.port}"))
    with pytest.raises(OSError):  # noqa: PT011  # SSL's words differ from version to version
        send(work(url=f"smtps://ann:s%40cret@127.0.0.1:{box.port}"))
    assert box.logins == box.mails == []


def test_a_server_that_says_nothing_is_given_up(work, monkeypatch):
    monkeypatch.setattr("nexus_middleware.services.jobs.smtp.TIMEOUT", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(OSError, match="timed out"):
            send(work(url=f"smtp://127.0.0.1:{silent.getsockname()[1]}"))


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("smtp://mail", "mail", 25, ""),
        ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, ""),
        ("smtps://ann:x@mail.example.org", "mail.example.org", 465, "ann"),
        ("smtp+starttls://a%40b:x@mail.example.org:2525", "mail.example.org", 2525, "a@b"),
    ],
)
def test_a_url_names_the_server(url, host, port, user):
    server = Server.from_url(url)
    assert (server.host, server.port, server.user) == (host, port, user)
    assert "password" not in repr(server)


@pytest.mark.parametrize(
    "url", ["mail:25", "http://mail", "smtp://", "smtp://mail:port", "smtp://ann:x@mail.example.org"]
)
def test_a_url_that_will_not_do_is_told(url):
    with pytest.raises(SettingsError, match="smtp_url"):
        Server.from_url(url)
