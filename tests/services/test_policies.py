"""Policies: versions that all processes share, a file that is read again, and nothing bad is ever in force."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.middleware.policy import PolicyError, read_policy
from nexus_middleware.services.policies import Conflict, Policies
from tests.helpers import Clock

ONE, TWO, THREE = (f'[[limit]]\nname = "a"\nlimit = "{n}/minute"\n' for n in (1, 2, 3))
BAD = '[[limit]]\nname = "a"\nlimit = "many"\n'


class Process:
    """One process: its policies, and what it has put in force."""

    def __init__(self, store, path=""):
        self.held, self.store = ("", ""), store
        self.policies = Policies(store, self.prepare, path=str(path), clock=Clock())
        self.policies.begin()

    def prepare(self, enforced, staged):
        for text in (enforced, staged):
            read_policy(text)

        def swap():
            self.held = (enforced, staged)

        return swap

    def tick(self):
        self.policies.tick(0.0)
        return self.held


@pytest.fixture
def process(any_store):
    return Process(any_store)


@pytest.fixture
def other(any_store):
    return Process(any_store)


@pytest.fixture
def down(any_store, monkeypatch):
    """Take the store away, and bring it back."""
    run = any_store.run

    def set_down(*, is_down):
        def fail(commands):
            raise StoreError("down")

        monkeypatch.setattr(any_store, "run", fail if is_down else run)

    return set_down


def test_a_set_is_staged_then_enforced_then_rolled_back_in_all_processes(process, other):
    process.policies.change("enforce", ONE, who="ann")
    process.policies.change("stage", TWO)
    assert process.held == other.tick() == (ONE, TWO)

    process.policies.change("enforce")
    assert process.held == other.tick() == (TWO, "")

    other.policies.change("rollback", who="ben")
    assert process.tick() == other.held == (ONE, "")
    assert [(x.version, x.act, x.who) for x in process.policies.history()] == [
        (4, "rollback", "ben"),
        (3, "enforce", ""),
        (2, "stage", ""),
        (1, "enforce", "ann"),
    ]
    process.policies.change("rollback", to=3)
    assert other.tick() == (TWO, "")


def test_what_is_staged_may_be_discarded_and_a_rollback_may_lead_to_no_rules_at_all(process):
    process.policies.change("stage", ONE)
    process.policies.change("discard")
    assert process.held == ("", "")

    process.policies.change("enforce", ONE)
    process.policies.change("rollback")
    assert process.held == ("", "")


def test_a_bad_set_is_refused_with_its_line_and_the_last_good_one_stays(process, other):
    process.policies.change("enforce", ONE)

    for act in ("stage", "enforce"):
        with pytest.raises(PolicyError, match="line 3: limit='many'"):
            process.policies.change(act, BAD)
    with pytest.raises(PolicyError, match="line 3"):
        process.policies.check(BAD)
    assert process.held == other.tick() == (ONE, "")
    assert other.policies.now.version == 1


def test_who_looked_at_an_older_version_changes_nothing(process, other):
    process.policies.change("enforce", ONE, version=0)

    with pytest.raises(Conflict, match="the newest version is 1, not 0"):
        other.policies.change("enforce", TWO, version=0)
    with pytest.raises(SettingsError, match="nothing is staged"):
        Process(type(process.store)() if False else process.store).policies.change("enforce")
    with pytest.raises(SettingsError, match="version 9 is not kept"):
        process.policies.change("rollback", to=9)


def test_of_two_changes_at_once_one_is_told_to_look_again(process, other):
    steps = [p.policies._change("enforce", text, "", None, 0) for p, text in ((process, ONE), (other, TWO))]
    asked = [next(each) for each in steps]
    asked = [each.send(process.store.run(commands)) for each, commands in zip(steps, asked, strict=True)]
    first, second = (process.store.run(commands) for commands in asked)

    assert (first, second) == ([True], [False])
    with pytest.raises(Conflict, match="somebody else"):
        steps[1].send(second)


def test_a_process_that_starts_takes_the_newest_version(process, any_store):
    for text in (ONE, TWO, THREE):
        process.policies.change("enforce", text)

    assert Process(any_store).tick() == (THREE, "")


def test_a_file_holds_at_once_and_its_change_reaches_the_others(any_store, tmp_path, other):
    path = tmp_path / "rules.toml"
    path.write_text(ONE)
    process = Process(any_store, path)
    assert process.held == (ONE, "")
    process.tick()
    assert other.tick() == (ONE, "")

    path.write_text(TWO)
    assert process.tick() == other.tick() == (TWO, "")
    assert [x.act for x in other.policies.history()] == ["file", "file"]


def test_a_bad_change_of_the_file_is_logged_once_and_the_last_good_one_stays(any_store, tmp_path, caplog):
    path = tmp_path / "rules.toml"
    path.write_text(ONE)
    process = Process(any_store, path)
    process.tick()

    path.write_text(BAD)
    assert [process.tick() for _ in range(3)] == [(ONE, "")] * 3
    assert process.policies.error.startswith(f"{path}: line 3: limit='many'")
    assert len([x for x in caplog.records if "rules were not taken" in x.message]) == 1
    path.unlink()
    assert process.tick() == (ONE, "")
    assert "No such file" in process.policies.error
    path.write_text(ONE)
    process.tick()
    assert process.policies.error == ""


@pytest.mark.parametrize("content", [BAD.encode(), b"\xff", None])
def test_at_the_start_a_bad_file_is_an_error(any_store, tmp_path, content):
    path = tmp_path / "rules.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"rules\.toml"):
        Process(any_store, path)


def test_a_restart_with_an_unchanged_file_keeps_what_was_changed_since(any_store, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(ONE)
    process = Process(any_store, path)
    process.tick()
    process.policies.change("enforce", TWO)

    again = Process(any_store, path)
    assert again.tick() == (TWO, "")
    path.write_text(THREE)
    assert again.tick() == process.tick() == (THREE, "")
    assert again.policies.now.version == 3


def test_while_the_store_is_down_a_file_holds_here_and_afterwards_everywhere(any_store, tmp_path, other, down):
    path = tmp_path / "rules.toml"
    path.write_text(ONE)
    process = Process(any_store, path)
    process.tick()
    assert other.tick() == (ONE, "")

    down(is_down=True)
    path.write_text(TWO)
    with pytest.raises(StoreError):
        process.tick()
    assert (process.held, other.held) == ((TWO, ""), (ONE, ""))
    down(is_down=False)
    process.tick()
    assert other.tick() == (TWO, "")


def test_a_store_that_comes_back_empty_is_given_the_newest_version_again(process, other, any_store):
    for text in (ONE, TWO):
        process.policies.change("enforce", text)
    other.tick()
    any_store.run([*_drops(any_store)])

    assert process.tick() == other.tick() == (TWO, "")
    assert Process(any_store).tick() == (TWO, "")
    process.policies.change("enforce", THREE)
    assert other.tick() == (THREE, "")
    assert other.policies.now.version == 3


def _drops(store):
    from nexus_middleware.stores.commands import Drop, Scan

    _, keys = store.run([Scan("rules:", "*")])[0]
    return [Drop(tuple(keys))]


def test_the_event_loop_has_the_same(store):
    process = Process(store)

    async def both():
        await process.policies.achange("enforce", ONE)
        return await process.policies.ahistory()

    assert [x.version for x in asyncio.run(both())] == [1]
    assert process.held == (ONE, "")
