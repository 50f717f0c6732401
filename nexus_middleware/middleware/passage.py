"""One request on its way through one chain, without I/O: both doors drive this."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

from ..http import Head, Reply
from ..stores.commands import Command
from .trace import R, Trace

PATIENCE = 10.0  # seconds that a promise is waited for; then its outcome is None
BUFFER = 500 * 1024  # bytes of a body that are held for `reads_body`, where no layer limits it


class Want(Enum):
    """What a passage waits for besides the store and promises."""

    BODY = "the whole body of the request"
    NO_MORE = "nothing for layers further in: one refuses without asking"


Effect: TypeAlias = "list[Command[Any]] | Future[Any] | Want"
NOTHING: Mapping[int, Any] = MappingProxyType({})


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


class Passage(Trace[R], eq=False):
    """How deep the request came, what stopped it, what sees the body of its response."""

    status: int = 500
    finished: bool = False
    started: bool = False  # the head of the response has gone out
    flow: Flow | None = None  # where the app's body goes by
    tail: Flow | None = None  # where the body goes by that an `after` sends instead
    instead: bytes | None = None
    inner: Mapping[int, int] | None = None  # the status that layers inside of a replacement saw
    cutter: int | None = None  # the layer whose limit the body was over; its refusal passes by those outside alone
    at: int = 0  # the next step of the chain's plan, where there is a wait
    asked: list[int] | int | None = None  # the layers whose questions the store is answering, or whose promise is open
    answers: Mapping[int, Any] = NOTHING  # what the layers are told that asked

    def advance(self, outcome: Any = None) -> Reply | Effect | None:
        """Go on along the way in, which `Chain.go_in` has begun, up to the next wait.

        Args:
            outcome: Of what was waited for: the store's answers, the promise's result.

        Returns:
            What to wait for next, after which this is called again; the reply that ends the request; or None, when it
            is the app's turn.
        """
        chain, i = self.chain, 0
        self._hear(outcome)
        try:
            for at, i, step in chain.plan[self.at :]:
                verdict = self._question() if step is None else step(self.request, self.answers.get(i))
                if verdict is not None and self.stops(at, i, verdict):
                    return verdict
        except BaseException:
            self.fell(i)
            raise
        self.depth = chain.innermost
        return None

    def fell(self, i: int) -> None:
        """Note that a step of layer `i`, as the chain's plan names it, has raised an exception."""
        self.depth = i - 1 if i >= 0 else -i - 2

    def _hear(self, outcome: Any) -> None:
        asked, self.asked = self.asked, None
        if isinstance(asked, int):
            self.answers = {**self.answers, asked: outcome}
        elif asked is not None:
            self.answers = dict(zip(asked, outcome, strict=True))

    def stops(self, at: int, i: int, verdict: Any) -> bool:
        """Whether the way in stops here: for good with a reply, or for a while."""
        if i < 0:  # a question or the body: the step that needs it comes next
            self.at, self.depth = at + 1, -i - 2
            return True
        if isinstance(verdict, Reply):
            self.verdicts = {**(self.verdicts or NOTHING), i: verdict}
            self.depth = i
            return self.chain.layers[i].enforces(self.request)
        self.at, self.asked, self.depth = at, i, i - 1  # a promise, with whose outcome the same step is called again
        return True

    @property
    def room(self) -> int:
        """How many bytes of the body are held for the layer that waits for it."""
        limits = self.request.body_limits
        return BUFFER if not limits else limits[0][0] if self.binds else limits[-1][0]

    @property
    def binds(self) -> bool:
        """Whether the layer that waits for the body may stop the request; for one in shadow no limit counts what it reads."""
        return self.chain.layers[self.depth + 1].enforces(self.request)

    def cut(self, taken: int) -> Reply | None:
        """Note whose limit a body of `taken` bytes is over; return the refusal, unless they are all in shadow."""
        request = self.request
        while request.body_limits and taken > request.body_limits[0][0]:
            (limit, refuse), *rest = request.body_limits
            reply, whose = refuse(request, limit), getattr(refuse, "__self__", None)
            i = next((n for n, layer in enumerate(self.chain.layers) if layer is whose), None)
            if i is not None:
                self.verdicts = {**(self.verdicts or NOTHING), i: reply}
            if whose is None or whose.enforces(request):
                self.cutter = i
                return reply
            request.body_limits = tuple(rest)
        return None

    def _question(self) -> list[Command[Any]] | None:
        """Collect what the layers ask; a store that answers without waiting is asked at once."""
        chain, request = self.chain, self.request
        asked: list[int] = []
        commands: list[Command[Any]] = []
        for i, ask in chain.asks:
            if (command := ask(request)) is not None:
                if command is Want.NO_MORE:
                    break
                asked.append(i)
                commands.append(command)
        if not commands:
            return None
        store = chain.store
        if store is None or chain.waits:
            self.asked = asked
            return commands
        self.answers = dict(zip(asked, store.run(commands), strict=True))
        return None

    def dress(self, head: Head, first: int = 0, said: Any = None) -> bool:
        """Run the `after` steps of the layers the request came through, innermost first, as `Chain.go_out` does.

        Args:
            head: Of the response.
            first: The step to begin with.
            said: What that one has said already, if it is not None.

        Returns:
            Whether the app's body goes by unseen, which it does nearly always.
        """
        if self.flow is not None:
            self.flow = self.tail = self.instead = None
        taps: list[Any] | None = None
        reach = self.depth if self.cutter is None else self.cutter
        for i, after in self.chain.afters[reach][first:]:
            seen, said = after(self.request, head) if said is None else said, None
            if isinstance(seen, Reply):
                self.flow, taps = self.flow or Flow(taps or [], head), None
                self._replace(i, head, seen)
            elif seen is not None:
                taps = [*taps, seen] if taps else [seen]
        self.status = head.status
        if self.instead is not None:
            self.tail = Flow(taps or [], head)
        elif taps is not None:
            self.flow = Flow(taps, head)
        return self.flow is None and self.instead is None

    def _replace(self, i: int, head: Head, reply: Reply) -> None:
        self.inner = {**dict.fromkeys(range(i + 1, self.chain.size), head.status), **(self.inner or NOTHING)}
        instead = reply.head()
        head.status, head.headers[:] = instead.status, instead.headers
        self.instead = reply.body

    def finish(self) -> list[Command[Any]] | None:
        """Run the `done` steps of the layers the request reached, once; return what the store shall do then."""
        if self.finished:
            return None
        self.finished = True
        chain, status = self.chain, self.status
        if self.inner is None and self.depth == chain.innermost:
            commands = chain.end(self.request, status)
        else:
            commands = self._end(status, self.inner or NOTHING)
        if chain.watches and (status >= 400 or self.inside is not None or (self.verdicts is not None and self.refused)):
            for watch in chain.watches:
                watch(self)
        return commands

    def _end(self, status: int, inner: Mapping[int, int]) -> list[Command[Any]] | None:
        told = [done(self.request, inner.get(i, status)) for i, done in self.chain.dones[self.depth]]
        return [command for command in told if command is not None] or None
