"""Take the reports that browsers send of pages that broke their Content-Security-Policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from ..rules.violations import KINDS, Violation, violations
from .layer import Layer, Mode

Record: TypeAlias = Callable[[Request, Violation], None]
LONGEST = 32 * 1024  # bytes; a browser's report has one or two thousand
MINUTE = 60.0  # seconds
TAKEN = Reply(204, b"", ((b"cache-control", b"no-store"),))


class CSPReports(Layer[None]):
    """Answer POSTs to `path` with 204 and hand what they tell to `record`; everything else goes on to the app.

    Anybody may send a report, so it is a hint and no proof. A long one gets 413, one of too many 429.

    >>> app = CSPReports(None, record=lambda request, violation: print(violation.directive))

    Args:
        app: What else is served.
        path: Where browsers report to: the `report_path` of `SecurityHeaders`.
        record: Takes each violation; it must not wait.
        per_minute: Reports taken in a minute by this process.
        per_client: Of those, from one address.
        mode: "shadow" listens: `record` is told the same, and the app answers.
        clock: Seconds that never go backwards.

    Raises:
        SettingsError: the path does not begin with /, or a bound is not above 0.
    """

    reads_body = True

    def __init__(
        self,
        app: App,
        *,
        record: Record,
        path: str = "/csp-reports",
        per_minute: int = 600,
        per_client: int = 60,
        mode: Mode = "enforce",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(app, mode=mode)
        if not path.startswith("/"):
            raise SettingsError(f"path={path!r} must begin with /")
        if per_minute < 1 or per_client < 1:
            raise SettingsError(f"per_minute={per_minute} and per_client={per_client} must be above 0")
        self._path, self._record, self._clock = path, record, clock
        self._per_minute, self._per_client = per_minute, per_client
        self._began, self._taken = -MINUTE, dict[str, int]()  # no more clients than reports are taken

    def reads(self, request: Request) -> bool:
        length = request.header(b"content-length") or b"0"
        return self.takes(request) and length.isdigit() and int(length) <= LONGEST

    def before(self, request: Request, answer: None) -> Reply | None:
        if not self.takes(request):
            return None
        if not self._room(request.client):
            wait = b"%d" % (MINUTE - (self._clock() - self._began) + 1)
            return problem(request, 429, "Too many reports.", headers=((b"retry-after", wait),))
        found = self.read(request)
        if isinstance(found, Reply):
            return found
        for violation in found:
            self._record(request, violation)
        return TAKEN

    def read(self, request: Request) -> list[Violation] | Reply:
        """Return what a report tells, or the refusal of what is none; nothing is counted or told."""
        if (request.header(b"content-type") or b"").partition(b";")[0].strip().lower() not in KINDS:
            return problem(request, 415, "Send a report as a browser does.")
        if request.body is None or len(request.body) > LONGEST:
            return problem(request, 413, f"A report may have {LONGEST} bytes at the most.", title="Content Too Large")
        found = violations(request.body)
        return problem(request, 400, "This is no report.") if found is None else found

    def takes(self, request: Request) -> bool:
        """Whether a request comes to where reports are taken."""
        return request.method == "POST" and self._path in (request.path, request.path.removeprefix(request.mount))

    def _room(self, client: str) -> bool:
        now = self._clock()
        if now - self._began >= MINUTE:
            self._began, self._taken = now, {}
        taken = self._taken
        if taken.get(client, 0) >= self._per_client or sum(taken.values()) >= self._per_minute:
            return False
        taken[client] = taken.get(client, 0) + 1
        return True

    def why(self, request: Request) -> str:
        return "a report" if self.takes(request) else ""
