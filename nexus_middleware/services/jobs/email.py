"""Send e-mail by SMTP: once for every key, and with headers that nobody can inject into."""

from __future__ import annotations

import base64
import hashlib
import re
import smtplib
from collections.abc import Mapping, Sequence
from email import policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from .registry import Permanent, Work
from .smtp import Server
from .suppressed import Suppressed

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
WHOLE = 20.0  # seconds for all of it, less than a claim holds
UNKNOWN = (550, 551, 553)  # refusals that mean there is no such mailbox (RFC 5321, section 4.2.3)
POLICY = policy.SMTP.clone(max_line_length=998)  # shorter lines would have a long URL encoded, which no client reads


class Mail(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `email.send` takes."""

    to: str | list[str]
    subject: str
    html: str = ""
    text: str | None = None
    sender: str | None = None  # None for smtp_from
    key: str | None = None  # only the first mail with it is sent
    images: dict[str, str] = {}  # PNGs in base64, which the html shows as <img src="cid:NAME">
    unsubscribe: str = ""  # https:// or mailto:, for mail to many: List-Unsubscribe (RFC 8058)

    @property
    def recipients(self) -> list[str]:
        """The addresses as they were given, with names."""
        return [self.to] if isinstance(self.to, str) else self.to


def compose(mail: Mail, *, sender: str, key: str) -> EmailMessage:
    """Build the message; `key` makes its Message-ID, so that a mail sent twice by mischance can be seen as one.

    Raises:
        ValueError: an address is none, or a header has a line break in it.
    """
    if not mail.recipients:
        raise ValueError("to=[] names nobody to send to")
    if not mail.html and not mail.text:
        raise ValueError("an e-mail needs html or text")
    sent_by = address("sender", sender)
    message = EmailMessage(POLICY)
    message["From"] = sender
    message["To"] = ", ".join([recipient for recipient in mail.recipients if address("to", recipient)])
    message["Subject"] = _line("subject", mail.subject)
    message["Date"] = formatdate()
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{sent_by.rpartition('@')[2]}>"
    if mail.unsubscribe:
        _add_unsubscribe(message, _line("unsubscribe", mail.unsubscribe))
    if mail.text:
        message.set_content(mail.text)
        if mail.html:
            message.add_alternative(mail.html, subtype="html")
    else:
        message.set_content(mail.html, subtype="html")
    if mail.images:
        _add_images(message, mail.images)
    return message


def _add_images(message: EmailMessage, images: Mapping[str, str]) -> None:
    page = message.get_body(("html",))
    if page is None:
        raise ValueError("images need html that shows them")
    for name, text in images.items():
        if not NAME(name):
            raise ValueError(f"images: {name!r} must be of letters, digits, '.', '_' and '-'")
        page.add_related(base64.b64decode(text, validate=True), "image", "png", cid=f"<{name}>")


def _add_unsubscribe(message: EmailMessage, url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in ("https", "mailto") or not url.isascii() or set(url) & set("<> ,"):
        raise ValueError(f"unsubscribe={url!r} must be an https:// or mailto: URL")
    message["List-Unsubscribe"] = f"<{url}>"
    if scheme == "https":
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _line(name: str, text: str) -> str:
    if any(mark in text for mark in "\r\n\0"):
        raise ValueError(f"{name}={text!r} must be one line of text")
    return text


def address(name: str, text: str) -> str:
    """Return the bare address of `text`, which may have a name: "Ann <ann@example.org>".

    Raises:
        ValueError: it is not exactly one.
    """
    header = cast("AddressHeader", policy.SMTP.header_factory("To", _line(name, text)))
    if len(header.addresses) != 1 or not header.addresses[0].domain or not header.addresses[0].username:
        raise ValueError(f"{name}={text!r} must be one e-mail address")
    return header.addresses[0].addr_spec


def send(work: Work, mail: Mail) -> dict[str, Any]:
    """Send `mail` to all who did not get it yet, over one connection.

    Raises:
        Permanent: it can never be sent: no server is set, or the server refused it for good.
        Later: another run may be sending it.
        OSError: the server could not be reached, or refused for now; a retry may do.
    """
    if not work.settings.smtp_url:
        raise Permanent("no mail server: set NEXUS_SMTP_URL, such as smtp://localhost:25")
    sender = mail.sender or work.settings.smtp_from
    if not sender:
        raise Permanent("no sender: set NEXUS_SMTP_FROM, or pass sender=")
    key = mail.key or work.key or work.id
    try:
        server = Server.from_url(work.settings.smtp_url)
        message = compose(mail, sender=sender, key=key)
        to = [address("to", recipient) for recipient in mail.recipients]
    except ValueError as error:
        raise Permanent(str(error)) from error
    claim = f"email:{hashlib.sha256(key.encode()).hexdigest()}"
    with work.once.doing(claim) as mine:
        return _to_each(work, claim, server, message, to) if mine else {"sent": False, "why": "already sent"}


def _to_each(work: Work, claim: str, server: Server, message: EmailMessage, to: Sequence[str]) -> dict[str, Any]:
    reached = work.once.noted(claim)
    left = [each for each in to if each not in reached]
    silent = Suppressed(work.client, work.prefix)
    suppressed = silent.among(left)
    left = [each for each in left if each not in suppressed]
    refused = _deliver(server, message, left) if left else {}
    reached |= {each for each in left if each not in refused}
    for each, (code, words) in refused.items():
        if code in UNKNOWN and b"5.7." not in words:  # 5.7.x is a matter of policy, not of the mailbox (RFC 3463)
            silent.add(each, f"{code} {words.decode('utf-8', 'replace')}")
    if any(code < 500 for code, _ in refused.values()):
        work.once.note(claim, reached)  # they must not get it again by the retry
        raise ConnectionError(f"refused for now: {refused}")
    if refused and not reached:
        raise Permanent(f"every recipient was refused: {refused}")
    told = {"refused": sorted(refused), "suppressed": sorted(suppressed)}
    return {"sent": bool(reached), **{name: who for name, who in told.items() if who}}


def _deliver(server: Server, message: EmailMessage, to: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    try:
        return server.deliver(message, to)
    except smtplib.SMTPResponseException as error:
        if error.smtp_code >= 500:
            raise Permanent(f"the mail server refused: {error.smtp_code} {error.smtp_error!r}") from error
        raise
    except smtplib.SMTPNotSupportedError as error:
        raise Permanent(f"the mail server cannot do it: {error}") from error
