"""Several processes and one log: none of its lines is lost or torn by rotation, by an end, or by a full disk."""

import json
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def start(*words, **options):
    command = [sys.executable, "-m", "tests.services.logs.writers", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)


def read(folder, name):
    """Every line of a log and its older files; whoever is torn cannot be read."""
    return [json.loads(row) for path in folder.glob(f"{name}*") for row in path.read_text().splitlines()]


def test_four_processes_lose_and_tear_no_line_as_the_files_are_rotated_and_two_are_ended(tmp_path):
    marks = ["a", "b", "wait-c", "wait-d"]
    running = [start("many", tmp_path, mark, 3_000, 200_000) for mark in marks]
    assert [process.stdout.readline() for process in running] == ["written\n"] * 4
    for process in running[2:]:
        process.send_signal(signal.SIGTERM)
    ended = [process.wait(30) for process in running]
    for process in running:
        process.stdout.close()
    assert ended == [0, 0, -signal.SIGTERM, -signal.SIGTERM]
    lines = read(tmp_path, "combined.log")
    wanted = {f"/{mark}/{number}" for mark in marks for number in range(3_000)}
    paths = [line["path"] for line in lines if line["event"] == "request"]
    assert len(paths) == len(wanted) and {*paths} == wanted
    assert len(read(tmp_path, "error.log")) == 4 * 6
    assert len(read(tmp_path, "performance.log")) == len(wanted)
    old = [*tmp_path.glob("combined.log.*")]
    assert len(old) > 5, "it was rotated"
    assert max(path.stat().st_size for path in old) <= 200_000


def test_what_a_killed_process_loses_is_a_tenth_of_a_second_of_requests_and_no_error(tmp_path):
    process = start("endless", tmp_path, "k")
    said = [process.stdout.readline() for _ in range(1_500)]  # not killed before it has written for a while
    process.kill()
    said += process.communicate()[0].splitlines()
    taken = [row.split() for row in said if row.startswith("A") and row.count(" ") == 1]
    killed = float(taken[-1][1])
    late = max(float(row[1:]) for row in said if row.startswith("L"))
    errors = {int(row[1:]) for row in said if row.startswith("E")}
    lines = read(tmp_path, "combined.log")
    assert errors and errors <= {line["number"] for line in read(tmp_path, "error.log")}
    written = {line["path"] for line in lines if line["event"] == "request"}
    lost = [float(at) for number, at in taken if f"/k/{number[1:]}" not in written]
    assert all(killed - at < 0.1 + 0.01 + late for at in lost), "0.1 s, a write, and what the machine is late by"
    assert len(lost) < len(taken) / 2


def test_a_full_disk_is_told_of_once_tears_no_line_and_fails_nobody(tmp_path):
    process = start("full", tmp_path, stderr=subprocess.PIPE)
    out, complaints = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "served\n")
    assert complaints.count("cannot write") == 1
    numbers = [line["number"] for line in read(tmp_path, "combined.log")]
    assert numbers == sorted({*numbers}), "whole lines, in their order, though not all of them"
    assert (tmp_path / "combined.log").stat().st_size > 15_000
