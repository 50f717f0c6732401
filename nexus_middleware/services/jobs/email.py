"""Send e-mail by SMTP: once for every key, and with headers that nobody can inject into."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from ...errors import SettingsError
from .registry import Permanent, Work

TIMEOUT = 15.0  # seconds that the server may take for one answer
WHOLE = 20.0  # seconds for all of it, less than a claim holds
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where mail goes, as the URL says."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Server:
        """Read smtp://host:port, smtps://user:password@host or smtp+starttls://user:password@host.

        >>> Server.from_url("smtp+starttls://ann:s%40cret@mail.example.org").port
        587

        Raises:
            SettingsError: it cannot be read, or would send a password in clear.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in PORTS or not parts.hostname or port == -1:
            raise SettingsError(
                "smtp_url must be smtp://host:port, smtps://… or smtp+starttls://user:password@host:port"
            )
        if parts.username and parts.scheme == "smtp" and parts.hostname not in LOCAL:
            raise SettingsError("smtp_url: smtp:// would send the password in clear: use smtps:// or smtp+starttls://")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            user=user,
            password=password,
        )

    def connect(self) -> smtplib.SMTP:
        """Open a connection, encrypted and signed in as the URL says."""
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        try:
            if self.scheme == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
            if self.user:
                smtp.login(self.user, self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def compose(payload: Mapping[str, Any], *, sender: str, key: str) -> EmailMessage:
    """Build the message; `key` makes its Message-ID, so that a mail sent twice by mischance can be seen as one.

    Raises:
        ValueError: an address is none, or a header has a line break in it.
    """
    to = payload["to"]
    recipients = [*cast("Sequence[str]", to)] if isinstance(to, (list, tuple)) else [to]
    if not recipients:
        raise ValueError("to=[] names nobody to send to")
    if not payload.get("html") and not payload.get("text"):
        raise ValueError("an e-mail needs html or text")
    sent_by = _address("sender", sender)
    message = EmailMessage(policy.SMTP)
    message["From"] = sender
    message["To"] = ", ".join([recipient for recipient in recipients if _address("to", recipient)])
    message["Subject"] = _line("subject", payload["subject"])
    message["Date"] = formatdate()
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{sent_by.rpartition('@')[2]}>"
    if payload.get("text"):
        message.set_content(payload["text"])
        if payload.get("html"):
            message.add_alternative(payload["html"], subtype="html")
    else:
        message.set_content(payload["html"], subtype="html")
    return message


def _line(name: str, text: Any) -> str:
    if not isinstance(text, str) or any(mark in text for mark in "\r\n\0"):
        raise ValueError(f"{name}={text!r} must be one line of text")
    return text


def _address(name: str, text: str) -> str:
    header = cast("AddressHeader", policy.SMTP.header_factory("To", _line(name, text)))
    if len(header.addresses) != 1 or not header.addresses[0].domain or not header.addresses[0].username:
        raise ValueError(f"{name}={text!r} must be one e-mail address")
    return header.addresses[0].addr_spec


def send(work: Work) -> dict[str, Any]:
    """Send the mail of `work`, unless it was sent before.

    Raises:
        Permanent: it can never be sent: no server is set, or the server refused it for good.
        Later: another run may be sending it.
        OSError: the server could not be reached, or refused for now; a retry may do.
    """
    if not work.settings.smtp_url:
        raise Permanent("no mail server: set NEXUS_SMTP_URL, such as smtp://localhost:25")
    sender = work.payload.get("sender") or work.settings.smtp_from
    if not sender:
        raise Permanent("no sender: set NEXUS_SMTP_FROM, or pass sender=")
    key = work.payload.get("key") or work.id
    try:
        server = Server.from_url(work.settings.smtp_url)
        message = compose(work.payload, sender=sender, key=key)
    except ValueError as error:
        raise Permanent(str(error)) from error
    with work.once.doing(f"email:{hashlib.sha256(key.encode()).hexdigest()}") as mine:
        return {"sent": True, **_deliver(server, message)} if mine else {"sent": False, "why": "already sent"}


def _deliver(server: Server, message: EmailMessage) -> dict[str, Any]:
    try:
        smtp = server.connect()
        try:
            refused = smtp.send_message(message)
            with suppress(smtplib.SMTPException, OSError):  # it has the mail: whatever comes now must not repeat it
                smtp.quit()
        finally:
            smtp.close()
    except smtplib.SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _ in error.recipients.values()):
            raise Permanent(f"every recipient was refused: {error.recipients}") from error
        raise
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500:
            raise Permanent(f"the mail server refused: {error.smtp_code} {error.smtp_error!r}") from error
        raise
    except smtplib.SMTPNotSupportedError as error:
        raise Permanent(f"the mail server cannot do it: {error}") from error
    return {"refused": sorted(refused)} if refused else {}
