"""Logs: what a line holds, where it goes, and what cannot be smuggled into it."""

import json
import multiprocessing

import pytest

from nexus_middleware import RequestLogger, Settings
from nexus_middleware.services.logs import Log, brief
from nexus_middleware.services.logs.files import RotatingFile
from nexus_middleware.services.logs.writer import WAITING, Writer
from tests.helpers import Origin


def lines(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


@pytest.fixture
def log(tmp_path):
    return Log(Settings(log_dir=str(tmp_path)), out=lambda text: None)


def test_a_request_is_one_line_of_json(door, log, tmp_path):
    app = RequestLogger(door.app(Origin()), log=log.access)
    door.get(app, "/a\nb", headers=[("user-agent", "probe")])
    log.writer.flush()
    (line,) = lines(tmp_path, "combined.log")
    assert (
        line.items() >= {"event": "request", "path": "/a\nb", "status": 200, "agent": "probe", "level": "http"}.items()
    )
    assert lines(tmp_path, "performance.log") == [line]


@pytest.mark.parametrize(("level", "kept"), [("http", ["told"]), ("warn", [])])
def test_at_the_level_http_events_are_told_of_and_at_warn_they_are_not(tmp_path, level, kept):
    log = Log(Settings(log_dir=str(tmp_path), log_level=level), out=lambda text: None)
    log.debug("hidden")
    log.info("told")
    log.writer.flush()
    path = tmp_path / "combined.log"
    assert ([line["event"] for line in lines(tmp_path, "combined.log")] if path.exists() else []) == kept


def test_errors_have_a_file_of_their_own_with_the_traceback(log, tmp_path):
    log.bind(user=42).error("import failed", LookupError("no such course"))
    log.info("hello")
    log.writer.flush()
    (line,) = lines(tmp_path, "error.log")
    assert line["user"] == 42
    assert "LookupError: no such course" in line["exception"]
    assert len(lines(tmp_path, "combined.log")) == 2


def test_what_is_below_the_level_is_not_written(tmp_path):
    log = Log(Settings(log_dir=str(tmp_path), log_level="warn"), out=lambda text: None)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.security("d", address="203.0.113.9")
    log.writer.flush()
    assert [line["event"] for line in lines(tmp_path, "combined.log")] == ["c", "d"]


def test_a_terminal_cannot_be_steered_by_what_a_client_sends():
    line = {"at": "1970-01-01T00:00:00.000Z", "level": "http", "kind": "request", "event": "request"}
    line |= {"method": "GET", "path": "/\x1b[2J\r\n", "status": 200, "ms": 1.5, "client": "203.0.113.9"}
    text = brief(line)
    assert text.isprintable()
    assert text == "00:00:00 http    GET /\\x1b[2J\\r\\n 200 1.5 ms 203.0.113.9"


def test_a_file_that_is_large_enough_is_moved_away_and_five_are_kept(tmp_path):
    file = RotatingFile(tmp_path / "x.log", largest=100, kept=2)
    for i in range(50):
        file.write(b"%049d\n" % i)
    file.close()
    assert sorted(path.name for path in tmp_path.glob("x.log*")) == ["x.log", "x.log.1", "x.log.2"]
    assert (tmp_path / "x.log").read_bytes().split() == [b"%049d" % 48, b"%049d" % 49]
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o640


def _write(path, mark):
    file = RotatingFile(path, largest=5_000, kept=100)
    for i in range(500):
        file.write(b"%s-%04d\n" % (mark, i))


def test_processes_that_share_a_file_lose_no_line_as_it_is_rotated(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path / "x.log", mark)) for mark in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [line for path in tmp_path.glob("x.log*") for line in path.read_bytes().splitlines()]
    assert sorted(found) == sorted(b"%s-%04d" % (mark, i) for mark in (b"a", b"b", b"c") for i in range(500))


def test_where_the_disk_is_too_slow_the_oldest_lines_go_and_are_counted():
    told = []
    writer = Writer(None, out=told.append)
    writer._pid = -1
    writer._start = lambda: None
    for i in range(WAITING + 7):
        writer.put({"event": i})
    writer.flush()
    rows = [json.loads(line) for line in "".join(told).splitlines()]
    assert rows[0] == {"event": 7}
    assert rows[-1] == {"level": "warn", "event": "log lines were dropped", "count": 7}
    assert writer.dropped == 7


def test_a_folder_that_cannot_be_written_is_told_of_and_the_app_goes_on(tmp_path, capsys):
    (tmp_path / "logs").write_text("a file where the folder should be")
    log = Log(Settings(log_dir=str(tmp_path / "logs")), out=lambda text: None)
    for _ in range(3):
        log.info("hello", kind="performance")
        log.writer.flush()
    told = capsys.readouterr().err
    assert told.count("cannot write") == 1, "once, and not again with each line and file"
    assert "logs/combined.log: [Errno" in told and "NEXUS_LOG_DIR" in told
    (tmp_path / "logs").unlink()
    log.info("found")
    log.writer.flush()
    assert "combined.log again; 3 lines were lost" in capsys.readouterr().err
    assert [line["event"] for line in lines(tmp_path / "logs", "combined.log")] == ["found"]
