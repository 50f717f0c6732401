"""Speak to a mail server: encrypted as its URL says, and over one connection for mails that follow one another."""

from __future__ import annotations

import atexit
import os
import smtplib
import ssl
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from ...errors import SettingsError

TIMEOUT = 15.0  # seconds that the server may take for one answer
IDLE = 5.0  # seconds that a connection is kept for the next mail
MOST = 100  # mails over one connection: many servers allow no more
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

    def deliver(self, message: EmailMessage, to: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """Send `message` to the addresses `to`; return the code and the words for each that was refused.

        Raises:
            OSError: nobody got it: the server could not be reached, or refused it as a whole.
        """
        with _line(self) as smtp:
            try:
                return smtp.send_message(message, to_addrs=[*to])
            except smtplib.SMTPRecipientsRefused as error:
                with suppress(smtplib.SMTPServerDisconnected):
                    smtp.rset()
                return dict(error.recipients)


class _Kept(threading.local):
    """This thread's open connection; a forked process has none of its own."""

    server: Server | None = None
    smtp: smtplib.SMTP | None = None
    until = 0.0
    mails = 0
    pid = 0


_KEPT = _Kept()


@contextmanager
def _line(server: Server) -> Generator[smtplib.SMTP]:
    smtp = _reuse(server) or server.connect()
    mails = _KEPT.mails + 1
    _KEPT.smtp = None
    try:
        yield smtp
    except BaseException:
        smtp.close()
        _KEPT.mails = 0
        raise
    _KEPT.server, _KEPT.smtp, _KEPT.pid = server, smtp, os.getpid()
    _KEPT.mails, _KEPT.until = mails, time.monotonic() + IDLE
    if mails >= MOST:
        hang_up()


def _reuse(server: Server) -> smtplib.SMTP | None:
    smtp = _KEPT.smtp
    if smtp is not None and _KEPT.pid == os.getpid() and _KEPT.server == server and time.monotonic() < _KEPT.until:
        with suppress(OSError):  # it hung up meanwhile
            if smtp.noop()[0] == 250:
                return smtp
    hang_up()
    return None


def hang_up() -> None:
    """Close this thread's connection, if one is open."""
    smtp, _KEPT.smtp, _KEPT.mails = _KEPT.smtp, None, 0
    if smtp is None:
        return
    if _KEPT.pid == os.getpid():
        with suppress(OSError):  # whatever comes now, the mails are delivered
            smtp.quit()
    smtp.close()


atexit.register(hang_up)
