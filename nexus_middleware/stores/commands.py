"""The questions a store can answer, as plain values; every store answers all of them, and alike."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from ..rules.budgets import Room
from ..rules.windows import Allowance, Limit

A_co = TypeVar("A_co", covariant=True)
TOLD_FOR = 86_400.0  # seconds for which the number of an `AddOnce` is remembered


class Command(msgspec.Struct, Generic[A_co], frozen=True, gc=False):
    """A question to a store; `A_co` is the type of its answer. Keys are without the store's own prefix."""


class Hit(Command[tuple[Allowance, ...]], frozen=True, gc=False):
    """Count one call on every (key, limit), or on none of them if any is used up.

    The `Hit`s of one `run` are made in order, as nested limiters would be: what follows a refused one is judged but
    not counted, unless that one does not bind (`mode="shadow"`). `shadows` are counted after `limits`, each group on its
    own, and never bind; their answers follow those of `limits`.
    """

    limits: tuple[tuple[str, Limit], ...]
    binding: bool = True
    shadows: tuple[tuple[tuple[str, Limit], ...], ...] = ()


class Judge(Command[tuple[Allowance, ...]], frozen=True, gc=False):
    """Say how far every (key, limit) is used, and count nothing: a limit whose `cost` is 0 tells the present."""

    limits: tuple[tuple[str, Limit], ...]


class GiveBack(Command[None], frozen=True, gc=False):
    """Forget calls that were counted: on (key, limit), as the `Allowance` says that a `Hit` returned."""

    taken: tuple[tuple[str, Limit, Allowance], ...]


class Tell(Command[None], frozen=True, gc=False):
    """Add calls that were counted elsewhere: on (key, limit), each (age in microseconds, calls), oldest first.

    They are added whatever the limit says, since they have been admitted.
    """

    late: tuple[tuple[str, Limit, tuple[tuple[int, int], ...]], ...]


class Alive(Command[tuple[int, float]], frozen=True, gc=False):
    """Note that `process` counts calls here; return how many processes did in the last `within` seconds.

    And for how many seconds they have told so without a gap: one who is missing from a list younger than `within` may
    only not have spoken yet.
    """

    process: str
    within: int


class Get(Command[bytes | None], frozen=True, gc=False):
    """Return the value that was put under `key`, if it has not expired."""

    key: str


class Put(Command[bool], frozen=True, gc=False):
    """Keep `value` under `key` for `ttl` seconds (None: for good); with `absent` only if the key is free. Whether kept."""

    key: str
    value: bytes
    ttl: float | None
    absent: bool = False


class Fill(Command[bool], frozen=True, gc=False):
    """Keep `value` under `key` as `Put` does if `lease` still holds `holder`, and end the lease. Whether kept."""

    key: str
    value: bytes
    ttl: float | None
    lease: str
    holder: bytes


class Peek(Command[bytes | None], frozen=True, gc=False):
    """Return the first `count` bytes of the value that was put under `key`."""

    key: str
    count: int


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What is under a key: of which kind, how many bytes it takes, and the seconds it has to live (infinity: for good)."""

    kind: str  # "string", "hash", "list", …, in the words of Redis
    size: int
    ttl: float


class Look(Command[Kept | None], frozen=True, gc=False):
    """Say what is under `key`, whatever kind it is; None if nothing is."""

    key: str


class Drop(Command[int], frozen=True, gc=False):
    """Forget `keys`, of whatever kind; how many there were."""

    keys: tuple[str, ...]


class Remaining(Command[float | None], frozen=True, gc=False):
    """Return the seconds that `key` has to live: None if there is none, infinity if it stays for good."""

    key: str


class Add(Command[int], frozen=True, gc=False):
    """Add `amount` to the whole number under `key`, which begins at 0, and return it; a new one lives `ttl` seconds."""

    key: str
    amount: int = 1
    ttl: float | None = None


class Scan(Command[tuple[int, list[str]]], frozen=True, gc=False):
    """Return a page of the keys that begin with `prefix` and match the glob `pattern`, and the cursor of the next page.

    `prefix` is taken literally; cursor 0 begins and ends. A page may be empty, and `count` is a hint.
    """

    prefix: str
    pattern: str = "*"
    cursor: int = 0
    count: int = 500


class SetFields(Command[None], frozen=True, gc=False):
    """Set fields of the hash under `key`; with `ttl` it lives that many seconds from now."""

    key: str
    fields: dict[str, bytes]
    ttl: float | None = None


class AddFields(Command[None], frozen=True, gc=False):
    """Add whole numbers to fields of the hash under `key`; with `ttl` it lives that many seconds from now."""

    key: str
    amounts: dict[str, int]
    ttl: float | None = None


class Row(msgspec.Struct, frozen=True, gc=False):
    """What `AddOnce` does to the hashes under `keys`: a time to live for each, None for good."""

    keys: dict[str, float | None]
    adds: dict[str, int]  # added to these fields, which begin at 0
    tops: dict[str, int] = {}  # the least that these fields are from then on


class AddOnce(Command[bool], frozen=True, gc=False):
    """Count `rows`, unless `member` has told this `number` or a later one before; whether they were counted.

    So what is told again, because nobody knows whether it had arrived, counts once. A member's numbers rise; the last
    is remembered for a day.
    """

    member: str
    number: int
    rows: tuple[Row, ...]


class SumFields(Command[dict[str, bytes]], frozen=True, gc=False):
    """Return the sums of the fields of the hashes under `keys`, whole numbers; of those that end with `top`, the greatest."""

    keys: tuple[str, ...]
    top: str


class GetFields(Command[dict[str, bytes]], frozen=True, gc=False):
    """Return all fields of the hash under `key`; {} if there is none."""

    key: str


class GetSome(Command[list[bytes | None]], frozen=True, gc=False):
    """Return the values of some fields of the hash under `key`, in their order; None for those that are not there."""

    key: str
    fields: tuple[str, ...]


class DropFields(Command[int], frozen=True, gc=False):
    """Forget fields of the hash under `key`; how many there were."""

    key: str
    fields: tuple[str, ...]


class Push(Command[None], frozen=True, gc=False):
    """Put `values` at the head of the list under `key` and keep its newest `cap`; with `ttl` it lives that long from now."""

    key: str
    values: tuple[bytes, ...]
    cap: int
    ttl: float | None = None


class Latest(Command[list[bytes]], frozen=True, gc=False):
    """Return the newest `count` values of the list under `key`, newest first."""

    key: str
    count: int


class Reserve(Command[Room], frozen=True, gc=False):
    """Hold `amount` of the budget under `key` for `lasts` seconds, if a window of `window` seconds has room for it."""

    key: str
    reservation: str
    amount: int
    limit: int
    window: float
    lasts: float


class Settle(Command[None], frozen=True, gc=False):
    """Spend `amount`, which may be 0, of the budget under `key` in the place of a reservation."""

    key: str
    reservation: str
    amount: int
    window: float


class Publish(Command[None], frozen=True, gc=False):
    """Tell every process that listens on `channel`."""

    channel: str
    message: bytes


class Several(Command[None], frozen=True, gc=False):
    """Do all of `commands`, none of which is a `Hit` or a `GiveBack`, where one command is wanted; none's answer is told."""

    commands: tuple[Command[Any], ...]


class Recall(Command[int], frozen=True, gc=False):
    """Number `message`, remember it under `key` as its newest, and tell it and its number to all who listen on `channel`.

    The number is one above the last one; a message that was there already gets the new one, and the newest `cap` are
    kept. `drops` are forgotten with it.
    """

    key: str
    message: bytes
    channel: str
    cap: int
    drops: tuple[str, ...] = ()


class Recalled(Command[tuple[int, list[tuple[int, bytes]]]], frozen=True, gc=False):
    """Return the newest number that a `Recall` gave out under `key`, and its messages with theirs."""

    key: str


class Facts(Command[dict[str, str]], frozen=True, gc=False):
    """Return what the store says of itself: `flavour`, `version`, `used_memory`, `maxmemory`, `evicted_keys` … as text."""
