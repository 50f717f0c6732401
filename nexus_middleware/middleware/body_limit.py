"""Refuse bodies that are too long, by what is said of them and by what really comes."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from ..rules.paths import canonical
from .layer import Layer, Mode

DEFAULT = 500 * 1024  # bytes


class BodyLimit(Layer[None]):
    """Answer 413 to a body of more than `limit` bytes, and 400 to a length that is none (RFC 9110, section 8.6).

    A length that is announced is refused at once; one that is not is counted as it streams, and the client is told
    once, whatever the app makes of the cut body.

    Args:
        app: What is protected.
        limit: Bytes.
        paths: Other limits for what is at or below a path, of which the longest holds: `{"/upload": 50 * 2**20}`. Where
            two spellings of a path would have different limits, the lower one holds.
        mode: "shadow" records which bodies would have been refused.

    Raises:
        SettingsError: a limit is not above 0, or a path does not begin with /.
    """

    def __init__(
        self, app: App, limit: int = DEFAULT, *, paths: Mapping[str, int] | None = None, mode: Mode = "enforce"
    ) -> None:
        super().__init__(app, mode=mode)
        self._limit = limit
        self._paths = sorted(
            [(_prefix(path), bound) for path, bound in (paths or {}).items()], key=lambda x: -len(x[0])
        )
        for bound in (limit, *(paths or {}).values()):
            if bound <= 0:
                raise SettingsError(f"limit={bound} is in bytes and must be above 0")

    def before(self, request: Request, answer: None) -> Reply | None:
        limit = self._limit
        if self._paths:
            limit = min(self._bound(canonical(request.path)), self._bound(request.path.casefold()))
        said = request.header(b"content-length")
        if said is not None:
            if not said.isdigit() or [name for name, _ in request.headers].count(b"content-length") > 1:
                return problem(request, 400, "The request's Content-Length is not one whole number.")
            if int(said) > limit:
                return _too_long(request, limit)
        request.limit_body(limit, self._cut)
        return None

    def _cut(self, request: Request, limit: int) -> Reply:
        request.notes[self] = limit
        return _too_long(request, limit)

    def _bound(self, path: str) -> int:
        return next((bound for prefix, bound in self._paths if f"{path}/".startswith(prefix)), self._limit)

    def why(self, request: Request) -> str:
        if self in request.notes:
            return f"more than {request.notes[self]} bytes came"
        return f"Content-Length {(request.header(b'content-length') or b'not given').decode('latin-1')}"


def _too_long(request: Request, limit: int) -> Reply:
    return problem(request, 413, f"The request's body may have {limit} bytes at the most.", title="Content Too Large")


def _prefix(path: str) -> str:
    if not path.startswith("/"):
        raise SettingsError(f"paths: {path!r} must begin with /, as in '/upload'")
    return path.removesuffix("*").rstrip("/").casefold() + "/"
