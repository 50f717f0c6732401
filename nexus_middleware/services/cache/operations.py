"""What a cache does, each operation written once: as steps that ask the store, pause, or fetch."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from ...errors import StoreError
from ...stores.commands import Add, Command, Drop, Fill, Get, Put, Remaining, Scan
from . import arguments
from .arguments import named
from .entries import Entry, encoded, unpacked
from .groups import Groups
from .history import CacheHistory, over
from .outage import Outage

R = TypeVar("R")
Effect: TypeAlias = "list[Command[Any]] | float | Callable[[], Any]"  # questions, seconds to wait, a fetch
Steps: TypeAlias = Generator[Effect, Any, R]
log = logging.getLogger("nexus_middleware")
KEYS_AT_ONCE = 500
GENERATION = 30 * 86_400.0  # seconds that a tag's generation lives; a value with that tag lives no longer
FAILED = b"failed"  # in place of a lease: who waits may fetch for itself, and who comes may take it
TOLD = 0.25  # seconds that this is told
PAUSES = 0.005, 1.5, 0.05  # seconds between two looks at another process's fetch: at first, times, at the most


class Operations:
    """The steps of one cache.

    Args:
        prefix: What the keys of values begin with; it ends with a colon.
        lease: Seconds for which other processes wait for one's fetch.
        clock: Seconds since the epoch.
    """

    def __init__(self, prefix: str, *, lease: float, clock: Callable[[], float]) -> None:
        self.groups, self.outage = Groups(prefix), Outage()
        self._prefix, self._lease, self._clock = prefix, lease, clock
        self._base = prefix[:-1]
        self._leases = f"{self._base}~"  # beside the values, where no glob for those finds them
        self._tags = f"tag:{prefix}"

    @property
    def waits(self) -> bool:
        """Whether the store has something to be told."""
        return self.groups.counted or self.outage.owes

    def ask(self, *commands: Command[Any]) -> Steps[list[Any]]:
        """Ask the store, which first forgets what it was to forget while it was away."""
        outage = self.outage
        try:
            if outage.owes:
                yield from self._pay()
            answers: list[Any] = yield [*commands]
        except StoreError as error:
            outage.began(error)
            raise
        if outage.down:
            outage.ended()
        return answers

    def _pay(self) -> Steps[None]:
        debts = self.outage.debts()
        keys, tags, patterns = debts
        yield [Drop(self._both(keys)), Drop(tuple([self._tags + tag for tag in tags]))]
        for pattern in patterns:
            yield from self._sweep(pattern)
        self.outage.paid(*debts)

    def _both(self, keys: Iterable[str]) -> tuple[str, ...]:
        return tuple([start + key for key in keys for start in (self._prefix, self._leases)])

    def get(self, key: str) -> Steps[Entry | None]:
        """Find the value of `key`, and count whether it was there; a store that is away has none."""
        try:
            entry = yield from self.find(key)
        except StoreError:
            entry = None
        self.groups.asked(key, hit=entry is not None)
        return entry

    def find(self, key: str) -> Steps[Entry | None]:
        """Find the value of `key`, if none of its tags was deleted since."""
        (kept,) = yield from self.ask(Get(named(self._prefix, key)))
        return (yield from self._valid(key, kept, {}))

    def _valid(self, key: str, kept: bytes | None, known: dict[str, str]) -> Steps[Entry | None]:
        if kept is None or self.outage.doubts(key):
            return None
        entry = unpacked(kept)
        unknown = [tag for tag in entry.tags if tag not in known]
        if unknown:
            now = yield from self.ask(*[Get(self._tags + tag) for tag in unknown])
            known = {**known, **{tag: text.decode() for tag, text in zip(unknown, now, strict=True) if text}}
        return entry if all(known.get(tag) == text for tag, text in entry.tags.items()) else None

    def set(self, key: str, body: bytes, ttl: float, tags: Sequence[str] = ()) -> Steps[None]:
        """Keep a value; a store that is away will drop the one it has, once it is back."""
        life, name = arguments.life(ttl), named(self._prefix, key)
        arguments.several(tags)
        try:
            answers: Sequence[Any] = () if not tags else (yield from self.ask(*self._generations(tags)))
            entry = Entry(body, tags=_by_tag(tags, answers))
            yield from self.ask(
                Put(name, entry.packed(), life), Drop((self._leases + key,))
            )  # a fetch that is on its way is older
        except StoreError:
            self.outage.owe(key=key)
        else:
            self._kept(key, life)

    def _kept(self, key: str, life: float | None) -> None:
        self.outage.wrote(key)
        self.groups.kept(key, life)

    def _generations(self, tags: Sequence[str]) -> list[Command[Any]]:
        """Ask for each tag's generation; one that has none begins one that never was before."""
        new = secrets.token_hex(8).encode()
        names = [self._tags + tag for tag in tags]
        return [command for name in names for command in (Put(name, new, GENERATION, absent=True), Get(name))]

    def fill(
        self, key: str, fetch: Callable[[], Any], ttl: float, tags: Sequence[str] = (), old: Entry | None = None
    ) -> Steps[bytes]:
        """Fetch and keep a value, unless another process does so already: then wait for its value.

        Args:
            key: Whose value.
            fetch: Makes it.
            ttl: Seconds.
            tags: What it can be deleted by.
            old: The value that is there and near its end; then nobody waits.
        """
        life, holder = arguments.life(ttl), secrets.token_hex(8).encode()
        try:
            body, generations = yield from self._claim(key, holder, tags, old)
        except StoreError:
            body, generations = None, None
        if body is not None:
            return body
        began = time.perf_counter()
        try:
            body = encoded((yield fetch))
        except Exception:
            self.groups.fetched(key, time.perf_counter() - began, failed=True)
            if generations is not None:
                yield from self._give_up(key)
            raise
        cost = time.perf_counter() - began
        self.groups.fetched(key, cost)
        if generations is not None:
            ends = 0.0 if life is None else self._clock() + life
            yield from self._land(key, Entry(body, ends, cost, generations), life, holder)
        return body

    def _claim(
        self, key: str, holder: bytes, tags: Sequence[str], old: Entry | None
    ) -> Steps[tuple[bytes | None, dict[str, str] | None]]:
        """Return the value that another process has fetched; or the tags' generations, if it is this one's turn.

        Neither, if it has failed while this one waited: then all who did fetch for themselves at once, and keep nothing.
        """
        lease = self._leases + key
        pause, growth, most = PAUSES
        waited = False
        while True:
            held, mark, kept, *answers = yield from self.ask(
                Put(lease, holder, self._lease, absent=True),
                Get(lease),
                Get(self._prefix + key),
                *self._generations(tags),
            )
            generations = _by_tag(tags, answers)
            entry = yield from self._valid(key, kept, generations)
            if entry is not None and (old is None or entry != old):
                if held:
                    yield from self.ask(Drop((lease,)))
                if waited:
                    self.groups.avoided(key)
                return entry.body, None
            if held:
                return None, generations
            if old is not None:
                return old.body, None
            if mark == FAILED and not waited:
                yield from self.ask(Put(lease, holder, self._lease))
                return None, generations
            if mark == FAILED:
                return None, None
            yield pause
            waited, pause = True, min(most, pause * growth)

    def _land(self, key: str, entry: Entry, life: float | None, holder: bytes) -> Steps[None]:
        try:
            command = Fill(self._prefix + key, entry.packed(), life, self._leases + key, holder)
            (kept,) = yield from self.ask(command)
        except StoreError:
            return
        if kept:
            self._kept(key, life)

    def _give_up(self, key: str) -> Steps[None]:
        try:
            yield from self.ask(Put(self._leases + key, FAILED, TOLD))
        except StoreError:
            return  # the lease ends by itself

    def fetched(
        self, key: str, fetch: Callable[[], Any], ttl: float, tags: Sequence[str], old: Entry | None
    ) -> Steps[bytes]:
        """`fill`; if it fails while the `old` value is there, that one still holds."""
        try:
            return (yield from self.fill(key, fetch, ttl, tags, old))
        except Exception as error:
            if old is None:
                raise
            log.warning("a cached value (%r) was not renewed before its end: %r", key, error)
            return old.body

    def delete(self, key: str) -> Steps[bool]:
        """Forget a key, and the fetch that is on its way for it."""
        name = named(self._prefix, key)
        try:
            dropped, _ = yield from self.ask(Drop((name,)), Drop((self._leases + key,)))
        except StoreError:
            self.outage.owe(key=key)
            return False
        return bool(dropped)

    def delete_tag(self, tag: str) -> Steps[None]:
        """End a tag's generation, and with it all values that have it."""
        name = named(self._tags, tag, "tag")
        try:
            yield from self.ask(Drop((name,)))
        except StoreError:
            self.outage.owe(tag=tag)

    def delete_pattern(self, pattern: str) -> Steps[int]:
        """Forget the keys that fit; what a store that is away cannot do is done when it is back."""
        named("", pattern, "pattern")
        try:
            yield from self.ask()
            return (yield from self._sweep(pattern))
        except StoreError:
            self.outage.owe(pattern=pattern)
            raise

    def _sweep(self, pattern: str) -> Steps[int]:
        count, cursor, more = 0, 0, True
        while more:
            cursor, keys = (yield [Scan(self._base, f"[:~]{pattern}", cursor, KEYS_AT_ONCE)])[0]
            values = tuple([key for key in keys if key.startswith(self._prefix)])
            leases = tuple([key for key in keys if not key.startswith(self._prefix)])
            if keys:
                count += (yield [Drop(values), Drop(leases)])[0]
            more = cursor != 0
        return count

    def ttl(self, key: str) -> Steps[float | None]:
        """Return the seconds that a value has to live; None if there is none."""
        name = named(self._prefix, key)
        try:
            kept, left = yield from self.ask(Get(name), Remaining(name))
            entry = yield from self._valid(key, kept, {})
        except StoreError:
            return None
        return left if entry is not None else None

    def increment(self, key: str, amount: int, ttl: float | None) -> Steps[int]:
        """Add to a whole number."""
        name, life = named(self._prefix, key), None if ttl is None else arguments.life(ttl)
        arguments.whole(amount)
        if self.outage.owes:
            yield from self.ask()
        return (yield [Add(name, amount, life)])[0]  # type: ignore[no-any-return]

    def tell(self, *also: Command[Any]) -> Steps[list[Any]]:
        """Add what was counted to the store's counters; return the hits, the misses and the answers to `also`."""
        commands, taken = self.groups.take(self._clock())
        try:
            answers = yield from self.ask(*commands, *also)
        except StoreError:
            self.groups.back(taken)
            raise
        return [*answers[:2], *answers[len(commands) :]]

    def history(self, window: int) -> Steps[CacheHistory]:
        """Read how the cache was used in the last `window` seconds."""
        return over(self._prefix, window, self._clock())


def _by_tag(tags: Sequence[str], answers: Sequence[Any]) -> dict[str, str]:
    return {tag: (answers[2 * i + 1] or b"").decode() for i, tag in enumerate(tags)}
