"""Look at single jobs and at workers, and steer jobs one by one: what the dashboard stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rq.defaults import RQ_KEY_PREFIX

from ...errors import SettingsError
from ..jobs.scripts import HOLD, trip
from .charts import Charts
from .shapes import STATES, Grown, JobDetail, Page, State, WorkerRow, detail, matches, row
from .twins import twin

if TYPE_CHECKING:
    from ..jobs.ledger import Ledger

SEARCHED = 1_000  # jobs that a search looks at
MOST = 200  # jobs of a page
LATE = 10.0  # seconds without a heartbeat
REGISTRIES = {
    "active": "wip",
    "completed": "finished",
    "failed": "failed",
    "delayed": "scheduled",
    "deferred": "deferred",
    "canceled": "canceled",
}


class Board(Charts):
    """The jobs of one store, one by one; every method has a twin for the event loop.

    What lists or shows only reads. Payloads and results are shown without secrets, by the names of their fields.

    Args:
        ledger: Where the jobs are written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def jobs(self, queue: str, state: State, *, cursor: str = "", limit: int = 50, text: str = "") -> Page:
        """List the jobs of `queue` in `state`, the newest first; those delayed or deferred in the order they are due.

        Args:
            queue: Which.
            state: "waiting", "active", "completed", "failed", "delayed", "deferred" or "canceled".
            cursor: Of the page before; "" for the first.
            limit: Jobs of a page, at most 200.
            text: Only those with it in their id, name or payload, among the newest 1,000.

        Raises:
            SettingsError: there is no such state, or the cursor is none.
            StoreError: Redis did not answer.
        """
        if state not in STATES.values():
            raise SettingsError(f"state={state!r} must be one of {', '.join(STATES.values())}")
        if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise SettingsError(f"cursor={cursor!r} was not given by this list")
        start, limit = int(cursor or 0), max(1, min(limit, MOST))
        total, ids = self._ids(self._ledger.wire(queue), state, start, SEARCHED if text else limit)
        found = list(zip(ids, self._read(ids), strict=True))
        if text:
            found = [(ident, fields) for ident, fields in found if fields and matches(fields, ident, text)][:limit]
        following = None if text or start + limit >= total else str(start + limit)
        items = [row(ident, fields, queue) for ident, fields in found if fields]
        return Page(items, following, total, not text or total <= SEARCHED)

    def job(self, ident: str) -> JobDetail | None:
        """Return all of one job; None if it is not there, or not of these queues."""
        fields = self._read([ident])[0]
        wire = fields.get("origin", b"").decode()
        queue = self._ledger.named(wire)
        if not fields or self._ledger.wire(queue) != wire:
            return None
        with trip():
            client: Any = self._ledger.client
            pipe = client.pipeline(transaction=False)
            pipe.zscore(f"{RQ_KEY_PREFIX}:scheduled:{wire}", ident)
            pipe.smembers(f"{RQ_KEY_PREFIX}:job:{ident}:dependencies")
            due, first = pipe.execute()
        return detail(ident, fields, queue, due=due, waits_for=sorted(each.decode() for each in first))

    def of_request(self, request_id: str) -> list[JobDetail]:
        """Return the jobs that a request queued, and those that its jobs queued, oldest first, each with its attempts.

        The last 100 are known for 8 days; of those that are not kept any more nothing is told. A job's log lines carry
        the same request id.
        """
        with trip():
            client: Any = self._ledger.client
            ids = client.lrange(f"{self._ledger.prefix}queues:request:{request_id[:64]}", 0, -1)
        found = [self.job(ident.decode()) for ident in reversed(ids)]
        return [job for job in found if job is not None]

    def workers(self) -> list[WorkerRow]:
        """List the workers that were seen in the last five minutes."""
        at = f"{self._ledger.prefix}queues:worker"
        with trip():
            client: Any = self._ledger.client
            until: list[tuple[bytes, float]] = client.zrange(f"{at}s", 0, -1, withscores=True)
            pipe = client.pipeline(transaction=False)
            pipe.time()
            for name, _ in until:
                pipe.hgetall(f"{at}:{name.decode()}")
            (seconds, micros), *facts = pipe.execute()
        now = seconds + micros / 1e6
        return [self._worker(name.decode(), end - now, told) for (name, end), told in zip(until, facts, strict=True)]

    def retry(self, ids: Sequence[str]) -> int:
        """Queue jobs again that are failed or canceled, each with all of its retries; how many there were."""
        return sum(
            int(self._ledger.run("retry", wire, len(group), *group)) for wire, group in self._by_queue(ids).items()
        )

    def delete(self, ids: Sequence[str]) -> int:
        """Delete jobs that do not run; how many there were. One that runs must be canceled first."""
        found = [ident for group in self._by_queue(ids).values() for ident in group]
        return int(self._ledger.run("delete", *found)) if found else 0

    def cancel(self, ident: str) -> str:
        """Let a job not be run.

        Returns:
            "canceled"; "stopping" if it runs, and is stopped within seconds; "" if it has ended or is not there.
        """
        if not self._by_queue([ident]):
            return ""
        return ("", "canceled", "stopping")[int(self._ledger.run("cancel", ident))]

    def empty(self, queue: str, *, expected: int | None = None) -> int:
        """Delete the jobs that wait in `queue` or are delayed; how many there were.

        Args:
            queue: Which.
            expected: How many were shown to whoever asks; None for any.

        Raises:
            Grown: there are over 10 % more than expected.
        """
        wire = self._ledger.wire(queue)
        if expected is not None:
            with trip():
                pipe: Any = self._ledger.client.pipeline(transaction=False)
                pipe.llen(f"{RQ_KEY_PREFIX}:queue:{wire}")
                pipe.zcard(f"{RQ_KEY_PREFIX}:scheduled:{wire}")
                found = sum(pipe.execute())
            if found > expected * 1.1:
                raise Grown(expected, found)
        return self._ledger.clear(queue)

    def _ids(self, wire: str, state: State, start: int, count: int) -> tuple[int, list[str]]:
        with trip():
            pipe: Any = self._ledger.client.pipeline(transaction=False)
            if state == "waiting":
                key = f"{RQ_KEY_PREFIX}:queue:{wire}"
                pipe.llen(key)
                pipe.lrange(key, -start - count, -start - 1)
            else:
                key = f"{RQ_KEY_PREFIX}:{REGISTRIES[state]}:{wire}"
                pipe.zcard(key)
                pipe.zrange(key, start, start + count - 1, desc=state not in ("delayed", "deferred"))
            total, found = pipe.execute()
        ids = [each.decode().partition(":")[0] for each in found]
        return total, ids[::-1][: max(0, total - start)] if state == "waiting" else ids

    def _read(self, ids: Sequence[str]) -> list[dict[str, bytes]]:
        with trip():
            pipe: Any = self._ledger.client.pipeline(transaction=False)
            for ident in ids:
                pipe.hgetall(f"{RQ_KEY_PREFIX}:job:{ident}")
            return [{name.decode(): value for name, value in each.items()} for each in pipe.execute()]

    def _by_queue(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return those of `ids` that are jobs of these queues, by their queue in Redis."""
        with trip():
            pipe: Any = self._ledger.client.pipeline(transaction=False)
            for ident in ids:
                pipe.hget(f"{RQ_KEY_PREFIX}:job:{ident}", "origin")
            wires = pipe.execute()
        found: dict[str, list[str]] = {}
        for ident, wire in zip(ids, wires, strict=True):
            if wire and self._ledger.wire(self._ledger.named(wire.decode())) == wire.decode():
                found.setdefault(wire.decode(), []).append(ident)
        return found

    def _worker(self, name: str, left: float, facts: Mapping[bytes, bytes]) -> WorkerRow:
        told = {key.decode(): value.decode("utf-8", "replace") for key, value in facts.items()}
        quiet = HOLD - left
        state = "busy" if "member" in told else "idle"
        if quiet > LATE:
            state = "dead" if quiet >= HOLD else "late"
        memory = told.get("memory")
        return WorkerRow(
            name=name,
            state=state,
            host=told.get("host", ""),
            pid=int(told.get("pid", 0)),
            started_at=told.get("started"),
            seen_at=told.get("seen"),
            queue=self._ledger.named(told["queue"]) if "queue" in told else None,
            job=told["member"].partition(":")[0] if "member" in told else None,
            since=told.get("since"),
            queues=told.get("queues", "").split(),
            memory_mb=round(int(memory) / 2**20, 1) if memory else None,
            done=int(told.get("done", 0)),
            retried=int(told.get("retry", 0)),
            failed=int(told.get("failed", 0)),
        )

    ajobs = twin(jobs)
    ajob = twin(job)
    aof_request = twin(of_request)
    aworkers = twin(workers)
    aretry = twin(retry)
    adelete = twin(delete)
    acancel = twin(cancel)
    aempty = twin(empty)
