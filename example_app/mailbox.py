"""A mail server for this machine only: it sends nothing on, and shows what it was given on /mail."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any

Catch = Callable[[str, str, str, str], None]  # sender, recipient, subject, text


class _Handler:
    def __init__(self, catch: Catch) -> None:
        self._catch = catch

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain", "html"))
        text = body.get_content() if body is not None else ""
        for recipient in envelope.rcpt_tos:
            self._catch(envelope.mail_from, recipient, str(mail["subject"] or ""), text)
        return "250 kept for /mail"


@contextmanager
def mailbox(catch: Catch) -> Generator[str]:
    """Yield the smtp:// URL of a mail server that hands every mail to `catch`."""
    import socket

    from aiosmtpd.controller import Controller

    with socket.socket() as probe:  # aiosmtpd connects to itself to start, so it must know its port
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(_Handler(catch), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
