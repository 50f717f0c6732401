"""What the app may read of a request's way to it, and what each layer decided."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ..http import Reply
from ..rules.decisions import Decision
from .costs import COSTS

if TYPE_CHECKING:
    from .chain import Chain
    from .requests import ASGIRequest, WSGIRequest

NONE: Mapping[int, Reply] = MappingProxyType({})
R = TypeVar("R", bound="ASGIRequest | WSGIRequest")


class Trace(msgspec.Struct, Generic[R], eq=False):
    """What the app finds as `request.state.nexus`, or as `environ["nexus.request"]`: the passage of the outermost chain.

    A struct, because one is made for every request.
    """

    chain: Chain
    request: R
    began: MutableMapping[str, Any] | None  # where the app finds this; None: it finds the trace of a chain further out
    inside: list[Trace[R]] | None = None  # of the chains further in
    depth: int = -1  # the innermost layer reached
    verdicts: Mapping[int, Reply] | None = None  # the replies of the layers that gave one

    @property
    def request_id(self) -> str:
        """The request's id, as `RequestID` gave it; "" without that layer."""
        return self.request.request_id

    @property
    def api_key(self) -> str:
        """The name of the key that `APIKey` let in; "" for none."""
        return self.request.notes.get("api_key", "")  # type: ignore[no-any-return]

    @property
    def csp_nonce(self) -> str:
        """A nonce for the scripts and styles of this response; made when it is first read, and then told in its policy.

        Read it before the response begins: `SecurityHeaders` puts it into the head.
        """
        notes = self.request.notes
        if "csp_nonce" not in notes:
            notes["csp_nonce"] = secrets.token_urlsafe(16)
        return notes["csp_nonce"]  # type: ignore[no-any-return]

    @property
    def client(self) -> str:
        """The address of whoever asks, after trusted proxies; "" if it is unknown."""
        return self.chains[-1].request.client

    @property
    def degraded(self) -> bool:
        """Whether the store was down, so that some layers went on without it."""
        return any(trace.request.degraded for trace in self.chains)

    @property
    def decisions(self) -> list[Decision]:
        """What each layer decided, and why, outermost first."""
        return [decision for trace in self.chains for decision in trace.explain()]

    @property
    def refused(self) -> bool:
        """Whether a layer of this chain refused, or would have: a stored answer is a reply too, and refuses nobody."""
        for i, reply in (self.verdicts or NONE).items():
            if reply.status >= 400:
                return True
            for ruling in self.chain.layers[i].rulings(self.request):  # an error in JSON-RPC is a 200
                if not ruling.allowed:
                    return True
        return False

    @property
    def chains(self) -> list[Trace[R]]:
        """The traces of all chains that the request has come to, outermost first."""
        return [self, *(self.inside or ())]

    def explain(self) -> list[Decision]:
        """Return what each layer of this chain decided, outermost first."""
        return [self._decision(i) for i in range(self.chain.size)]

    def _decision(self, i: int) -> Decision:
        layer, request = self.chain.layers[i], self.request
        name = type(layer).__name__
        if i > self.depth:
            return Decision(name, "not reached", None, "")
        cost = request.notes.get(COSTS, {}).get(name)
        took = None if cost is None else round(cost * 1e6, 1)
        return Decision(name, *self._verdict(i), layer.why(request), tuple(layer.rulings(request)), took)

    def _verdict(self, i: int) -> tuple[str, int | None]:
        if self.verdicts is None or (reply := self.verdicts.get(i)) is None:
            return "passed", None
        return "answered" if self.chain.layers[i].enforces(self.request) else "would answer", reply.status
