"""Rules that change while the app runs: a file that is read again, and versions that all processes share."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from ..errors import NexusError, SettingsError
from ..stores.base import Listening, Store, adrive, drive
from ..stores.commands import Command, Drop, Get, Publish, Put

Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]
Act: TypeAlias = Literal["stage", "enforce", "rollback", "discard"]
Prepare: TypeAlias = Callable[[str, str], Callable[[], None]]
LOG = logging.getLogger("nexus_middleware")
NEWEST, CHANNEL = "rules:newest", "rules"
KEPT = 50  # versions


class Conflict(NexusError):
    """Somebody else has changed the rules meanwhile."""


class RuleSet(msgspec.Struct, frozen=True):
    """One version: what is enforced, and what is tried in shadow beside it; `at` in seconds since the epoch."""

    version: int = 0
    enforced: str = ""  # a rules file's text
    staged: str = ""  # "" for none
    file: str = ""  # digest of what a file has said last
    act: str = ""  # stage, enforce, rollback, discard, file
    who: str = ""
    at: float = 0.0


class Policies:
    """The rules of all processes that share a store, by version; a bad set is refused and the last good one stays.

    Every method that asks the store has a twin for the event loop.

    Args:
        store: Where versions are.
        prepare: Checks an enforced and a staged text, and returns what puts them in force; raises `SettingsError`.
        path: A rules file, read at the start and again when it changes; "" for none.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, store: Store, prepare: Prepare, *, path: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.now = RuleSet()  # the newest that this process knows
        self.error = ""  # why the last change was not taken; "" if it was
        self._store, self._prepare, self._path, self._clock = store, prepare, path, clock
        self._lock, self._line = threading.Lock(), Listening()
        self._seen: Any = None
        self._said: tuple[str, str] | None = None  # text and digest of a file that the store has not been told of

    def begin(self, prepare: Prepare | None = None) -> None:
        """Read the file, if there is one, and put it in force.

        Raises:
            SettingsError: it cannot be read, or not be taken; the message says in which line.
        """
        self._prepare = prepare or self._prepare
        if self._path:
            self._seen = None
            try:
                self._read()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"rules: {self._path!r} cannot be read: {error}") from error
            except SettingsError as error:
                raise SettingsError(f"rules: {self._path}: {error}") from error

    def listen(self) -> None:
        """Hear at once of what other processes change; without it, within a second."""
        if self._store.waits and (type(self._line) is Listening or self._line.over):
            self._line = self._store.listen(CHANNEL, self)

    def tick(self, now: float) -> None:
        """Look at the file and the store, for the background thread.

        Raises:
            StoreError: the store is down; a file's change holds in this process at once, and elsewhere afterwards.
        """
        self._look()
        drive(self._sync(), self._store.run)

    def joined(self) -> None:
        """Learn what was changed while nothing was heard."""
        drive(self._sync(), self._store.run)

    def heard(self, message: bytes) -> None:
        """Learn of a new version."""
        drive(self._sync(), self._store.run)

    def lost(self) -> None:
        """Go on with what is known."""

    def idle(self, now: float) -> None:
        """Wait."""

    def check(self, text: str) -> None:
        """See that a text can be taken, and change nothing.

        Raises:
            SettingsError: it cannot; a `PolicyError` has the `line`.
        """
        self._prepare(text, "")

    def change(self, act: Act, text: str = "", *, who: str = "", version: int | None = None, to: int = 0) -> RuleSet:
        """Stage a text in shadow, enforce one ("": the staged one), roll back, or discard what is staged.

        Args:
            act: What to do.
            text: Of a rules file.
            who: For the history.
            version: The one that was looked at; None whatever it is.
            to: The version to roll back to; 0 for the last one that enforced something else.

        Raises:
            SettingsError: the rules cannot be taken, or there is nothing to enforce or roll back to.
            Conflict: `version` is not the newest any more.
            StoreError: the store did not answer.
        """
        return drive(self._change(act, text, who, version, to), self._store.run)  # type: ignore[no-any-return]

    async def achange(
        self, act: Act, text: str = "", *, who: str = "", version: int | None = None, to: int = 0
    ) -> RuleSet:
        """`change`, for the event loop."""
        return await adrive(self._change(act, text, who, version, to), self._store.arun)

    def history(self) -> list[RuleSet]:
        """Return the versions that are kept, up to 50, newest first."""
        return drive(self._history(), self._store.run)

    async def ahistory(self) -> list[RuleSet]:
        """`history`, for the event loop."""
        return await adrive(self._history(), self._store.arun)

    def _look(self) -> None:
        try:
            if self._path:
                self._read()
        except (OSError, UnicodeDecodeError, SettingsError) as error:
            self._refuse(f"{self._path}: {error}")

    def _read(self) -> None:
        """Take what the file says, if that is new."""
        state = Path(self._path).stat()
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen == self._seen:
            return
        self._seen = seen
        text = Path(self._path).read_text("utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        if digest != (self._said[1] if self._said else self.now.file):
            swap = self._prepare(text, "")
            self._said, self.error = (text, digest), ""
            swap()  # at once, whether the store answers or not
        else:
            self.error = ""

    def _sync(self) -> Steps:
        """Follow the store, and tell it what the file says."""
        newest, coming = yield [Get(NEWEST), Get(_key(self.now.version + 1))]
        version = int(newest or 0)
        if not version and self.now.version:
            yield from self._restore()
        elif version not in (0, self.now.version):
            coming = (yield [Get(_key(version))])[0]
        while coming is not None:
            self._adopt(msgspec.json.decode(coming, type=RuleSet))
            coming = (yield [Get(_key(self.now.version + 1))])[0]
        if self._said is not None:
            yield from self._tell(*self._said)

    def _restore(self) -> Steps:
        """Give an emptied store the version back that this process knows."""
        now = self.now
        yield [
            Put(_key(now.version), msgspec.json.encode(now), None, absent=True),
            Put(NEWEST, b"%d" % now.version, None, absent=True),
        ]

    def _tell(self, text: str, digest: str) -> Steps:
        if self.now.file == digest:  # another process has told it, or it is older than what holds
            self._said = None
            self._adopt(self.now)
        else:
            made = RuleSet(self.now.version + 1, text, "", digest, "file", self._path, self._clock())
            yield from self._commit(made)

    def _adopt(self, newest: RuleSet) -> None:
        with self._lock:
            self.now = newest
            try:
                swap = self._prepare(newest.enforced, newest.staged)
            except SettingsError as error:
                self._refuse(f"version {newest.version}: {error}")
            else:
                swap()
                self.error = ""

    def _refuse(self, why: str) -> None:
        if why != self.error:  # once, not every second
            self.error = why
            LOG.error("rules were not taken, and the last good ones stay: %s", why)

    def _change(self, act: Act, text: str, who: str, version: int | None, to: int) -> Steps:
        yield from self._sync()
        now = self.now
        if version not in (None, now.version):
            raise Conflict(f"the newest version is {now.version}, not {version}: look at it first")
        if act == "stage":
            enforced, staged = now.enforced, text
        elif act == "rollback":
            enforced, staged = (yield from self._former(to)).enforced, ""
        else:
            enforced, staged = now.enforced if act == "discard" else text or now.staged, ""
            if act == "enforce" and not enforced:
                raise SettingsError("nothing is staged: give the text of the rules")
        self._prepare(enforced, staged)
        made = RuleSet(now.version + 1, enforced, staged, now.file, act, who, self._clock())
        if not (yield from self._commit(made)):
            raise Conflict("somebody else has changed the rules just now: look at them first")
        return made

    def _commit(self, made: RuleSet) -> Steps:
        """Make a version the newest, unless another one has its number; whether it is."""
        if not (yield [Put(_key(made.version), msgspec.json.encode(made), None, absent=True)])[0]:
            return False
        yield [
            Put(NEWEST, b"%d" % made.version, None),
            Drop((_key(made.version - KEPT),)),
            Publish(CHANNEL, b"%d" % made.version),
        ]
        self._adopt(made)
        if made.act == "file":
            self._said = None
        return True

    def _former(self, to: int) -> Steps:
        past = yield from self._history()
        for each in past:
            if each.version == to or (not to and each.enforced != self.now.enforced):
                return each
        if not to and len(past) < KEPT:
            return RuleSet()  # before the first version there was none
        raise SettingsError(f"version {to or 'before'} is not kept: the newest {KEPT} are")

    def _history(self) -> Steps:
        newest = self.now.version
        kept = yield [Get(_key(n)) for n in range(newest, max(0, newest - KEPT), -1)] if newest else []
        return [msgspec.json.decode(text, type=RuleSet) for text in kept if text is not None]


def _key(version: int) -> str:
    return f"rules:version:{version}"
