"""The newest lines, from the end of the files: by level, text, request and time, and never the whole file."""

import json
import tracemalloc

import pytest

from nexus_middleware import Settings
from nexus_middleware.services.logs import Log
from nexus_middleware.services.logs import tail as module
from nexus_middleware.services.logs.lines import stamp


@pytest.fixture(params=["files", "memory"])
def log(request, tmp_path):
    folder = str(tmp_path) if request.param == "files" else ""
    return Log(Settings(log_dir=folder, log_level="debug"), out=lambda text: None)


def test_the_newest_lines_come_first_and_only_those_that_fit(log):
    for number in range(300):
        log.bind(request_id=f"r{number % 3}").info(f"step {number}", user="Ann")
    log.warning("Odd thing", note="Größe")
    log.error("failed")
    assert [line["event"] for line in log.tail(limit=3).lines] == ["failed", "Odd thing", "step 299"]
    assert [line["event"] for line in log.tail(level="warn").lines] == ["failed", "Odd thing"]
    assert [line["event"] for line in log.tail(level="error").lines] == ["failed"]
    assert [line["event"] for line in log.tail(text="oDD").lines] == ["Odd thing"]
    assert [line["event"] for line in log.tail(text="größe").lines] == ["Odd thing"]
    assert [line["event"] for line in log.tail(request_id="r1", limit=2).lines] == ["step 298", "step 295"]
    assert log.tail(request_id="r").lines == []
    assert log.tail(text="nothing says this").complete


def test_a_time_ends_the_look_back(log):
    log.info("old")
    assert [line["event"] for line in log.tail(since=1.0).lines] == ["old"]
    told = log.tail(since=4e9)
    assert (told.lines, told.complete) == ([], True)


def test_it_says_whether_it_has_seen_all_processes(log):
    log.info("a")
    assert log.tail().shared == (log.writer.folder is not None)


def rows(path, count, width=200):
    with path.open("w") as file:
        for number in range(count):
            line = {"at": stamp(number), "level": "info", "event": f"line {number}", "pad": "x" * width}
            file.write(json.dumps(line) + "\n")


def test_of_a_large_file_only_the_end_is_read_and_never_much_at_once(tmp_path):
    rows(tmp_path / "combined.log", 60_000)
    log = Log(Settings(log_dir=str(tmp_path)), out=lambda text: None)
    assert (tmp_path / "combined.log").stat().st_size > 15 * 2**20
    tracemalloc.start()
    newest = log.tail(limit=200)
    seldom = log.tail(text='"line 1"')
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line["event"] for line in newest.lines] == [f"line {n}" for n in range(59_999, 59_799, -1)]
    assert (seldom.lines, seldom.complete) == ([], False), "it gave up, and says so"
    assert peak < 2 * 2**20


def test_it_goes_on_in_the_older_files_and_over_lines_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 100)
    rows(tmp_path / "combined.log.2", 3)
    rows(tmp_path / "combined.log.1", 2, width=1_000)
    (tmp_path / "combined.log").write_text('{"at":"2","level":"info","event":"new"}\nno JSON\n{"event":"torn')
    log = Log(Settings(log_dir=str(tmp_path)), out=lambda text: None)
    told = log.tail()
    assert [line["event"] for line in told.lines] == ["new", "line 1", "line 0", "line 2", "line 1", "line 0"]
    assert told.complete
