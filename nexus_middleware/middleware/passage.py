"""One request on its way through one chain, without I/O: both doors drive this."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec

from ..http import Head, Reply
from ..stores.commands import Command

if TYPE_CHECKING:
    from .chain import Chain
    from .requests import ASGIRequest, WSGIRequest


class Want(Enum):
    """What a passage waits for besides the store and promises."""

    BODY = "the whole body of the request"


R = TypeVar("R", bound="ASGIRequest | WSGIRequest")
Effect: TypeAlias = "list[Command[Any]] | Future[Any] | Want"


class Decision(msgspec.Struct, frozen=True):
    """What one layer decided about one request, and why."""

    layer: str
    verdict: str  # passed, answered, would answer (mode="shadow"), not reached
    status: int | None
    why: str


class Flow:
    """A body going by under the eyes of taps."""

    __slots__ = ("_left", "_taps", "_whole")

    def __init__(self, taps: list[Any], head: Head) -> None:
        length = head.get(b"content-length")
        self._taps, self._whole = taps, False
        self._left = int(length) if length.isdigit() else None  # bytes to come; None if only the end will tell

    def show(self, chunk: bytes, *, ended: bool) -> list[Command[Any]]:
        """Show a chunk to the taps; return what the store must do before it goes out."""
        if self._whole:
            return []
        if self._left is None:
            self._whole = ended
        else:
            self._left -= len(chunk)
            self._whole = self._left == 0
        return [command for tap in self._taps if (command := tap(chunk, self._whole)) is not None]


class Passage(Generic[R]):
    """How deep the request came, what stopped it, what sees the body of its response."""

    chain: Chain
    request: R
    outermost = False  # of the chains around the app
    depth = -1  # the innermost layer reached
    status = 500
    finished = False
    started = False  # the head of the response has gone out
    flow: Flow | None = None  # where the app's body goes by
    tail: Flow | None = None  # where the body goes by that an `after` sends instead
    instead: bytes | None = None
    inner: Mapping[int, int] = {}  # the status that layers inside of a replacement saw
    verdicts: Mapping[int, Reply] = {}
    _at = 0  # the next step of the chain's plan
    _asked: list[int] | int | None = None  # the layers whose questions the store is answering, or whose promise is open
    _answers: Mapping[int, Any] = {}

    def advance(self, outcome: Any = None) -> Reply | Effect | None:
        """Run the steps on the way in, up to the next wait.

        Args:
            outcome: Of what was waited for: the store's answers, the promise's result.

        Returns:
            What to wait for next, after which this is called again; the reply that ends the request; or None, when it
            is the app's turn.
        """
        plan, request = self.chain.plan, self.request
        if self._at:
            plan = plan[self._at :]
        if self._asked is not None:
            self._hear(outcome)
        i = 0
        try:
            for at, i, step in plan:
                verdict = step(request, self._answers.get(i) if self._answers else None) if i >= 0 else step(self)
                if verdict is not None and self._stops(at, i, verdict):
                    return verdict  # type: ignore[no-any-return]
        except BaseException:
            self.depth = i - 1 if i >= 0 else -i - 2
            raise
        self.depth = self.chain.size - 1
        return None

    def _hear(self, outcome: Any) -> None:
        asked, self._asked = self._asked, None
        if isinstance(asked, int):
            self._answers = {**self._answers, asked: outcome}
        elif asked is not None:
            self._answers = dict(zip(asked, outcome, strict=True))

    def _stops(self, at: int, i: int, verdict: Any) -> bool:
        """Whether the way in stops here: for good with a reply, or for a while."""
        if i < 0:  # a question or the body: the step that needs it comes next
            self._at, self.depth = at + 1, -i - 2
            return True
        if isinstance(verdict, Reply):
            self.verdicts = {**self.verdicts, i: verdict}
            self.depth = i
            return self.chain.layers[i].mode == "enforce"
        self._at, self._asked, self.depth = at, i, i - 1  # a promise, with whose outcome the same step is called again
        return True

    def questions(self) -> list[Command[Any]] | None:
        """Collect what the layers ask; a store that answers without waiting is asked at once."""
        asked: list[int] = []
        commands: list[Command[Any]] = []
        for i, ask in self.chain.asks:
            command = ask(self.request)
            if command is not None:
                asked.append(i)
                commands.append(command)
        if not commands:
            return None
        store = self.chain.store
        if store is None or store.waits:
            self._asked = asked
            return commands
        answers = store.run(commands)
        self._answers = {asked[0]: answers[0]} if len(asked) == 1 else dict(zip(asked, answers, strict=True))
        return None

    def dress(self, head: Head) -> None:
        """Run the `after` steps of the layers the request came through, innermost first."""
        request, depth = self.request, self.depth
        if self.flow is not None:
            self.flow = self.tail = self.instead = None
        taps: list[Any] | None = None
        for i, after in self.chain.afters:
            if i <= depth and (seen := after(request, head)) is not None:
                if isinstance(seen, Reply):
                    self.flow, taps = self.flow or Flow(taps or [], head), None
                    self._replace(i, head, seen)
                else:
                    taps = [*taps, seen] if taps else [seen]
        self.status = head.status
        if self.instead is not None:
            self.tail = Flow(taps or [], head)
        elif taps is not None:
            self.flow = Flow(taps, head)

    def _replace(self, i: int, head: Head, reply: Reply) -> None:
        self.inner = {**dict.fromkeys(range(i + 1, self.chain.size), head.status), **self.inner}
        instead = reply.head()
        head.status, head.headers[:] = instead.status, instead.headers
        self.instead = reply.body

    def finish(self) -> list[Command[Any]]:
        """Run the `done` steps of the layers the request reached, once."""
        if self.finished:
            return []
        self.finished = True
        if not self.chain.dones:
            return []
        depth, request, status, inner = self.depth, self.request, self.status, self.inner
        commands = []
        for i, done in self.chain.dones:
            if i <= depth and (command := done(request, inner.get(i, status) if inner else status)) is not None:
                commands.append(command)
        return commands

    def explain(self) -> list[Decision]:
        """Return what each layer decided, outermost first."""
        return [
            Decision(type(layer).__name__, *self._verdict(i), layer.why(self.request) if i <= self.depth else "")
            for i, layer in enumerate(self.chain.layers)
        ]

    def _verdict(self, i: int) -> tuple[str, int | None]:
        if i > self.depth:
            return "not reached", None
        if (reply := self.verdicts.get(i)) is None:
            return "passed", None
        return "answered" if self.chain.layers[i].mode == "enforce" else "would answer", reply.status
