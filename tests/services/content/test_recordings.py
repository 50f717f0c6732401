"""Recordings: a real ffmpeg, what it makes, and what it is kept from."""

import http.server
import subprocess
import sys
import threading
import time

import psutil
import pytest

from nexus_middleware.services.jobs.content import recordings
from nexus_middleware.services.jobs.content.outputs import Operation
from nexus_middleware.services.jobs.registry import Permanent


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two seconds of a test card with a tone."""
    path = tmp_path_factory.mktemp("film") / "film"
    picture = ["-f", "lavfi", "-i", "testsrc=duration=2:size=640x360:rate=10"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    place = ["-metadata", "location=+52.5+013.4/"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, *tone, *codec, *place, "-f", "mp4", str(path)], check=True)
    return path


def run(source, text, folder, **more):
    return recordings.process(source, Operation.read(text), folder, **{"timeout": 60.0, **more})


def test_a_film_is_made_smaller_and_says_how_far_it_is(film, tmp_path):
    told = []

    made = run(film, "transcode:240p", tmp_path, progress=told.append)

    facts = recordings.probe(tmp_path / made["file"], timeout=20)
    assert [(x["codec_name"], x.get("height")) for x in facts["streams"]] == [("h264", 240), ("aac", None)]
    assert told[-1] == pytest.approx(1, abs=0.1)
    assert b"+52.5" not in (tmp_path / made["file"]).read_bytes()


def test_the_sound_alone_is_kept(film, tmp_path):
    made = run(film, "audio:mp3", tmp_path)

    assert [x["codec_type"] for x in recordings.probe(tmp_path / made["file"], timeout=20)["streams"]] == ["audio"]


def test_a_picture_is_taken(film, tmp_path):
    made = run(film, "thumbnail:1s", tmp_path)

    assert (tmp_path / made["file"]).read_bytes().startswith(b"\xff\xd8")


def test_a_probe_says_what_it_is(film, tmp_path):
    facts = run(film, "probe", tmp_path)

    assert facts["seconds"] == pytest.approx(2, abs=0.2)
    assert {x["codec_type"] for x in facts["streams"]} == {"audio", "video"}


@pytest.mark.parametrize("text", ["transcode", "transcode:9p", "thumbnail:9", "burn", "thumbnail:99s", "audio:exe"])
def test_what_cannot_be_done_is_told_and_leaves_nothing(film, tmp_path, text):
    with pytest.raises(Permanent):
        run(film, text, tmp_path / "made")
    assert [*(tmp_path / "made").glob("*")] == []


@pytest.fixture
def outside():
    """A server that must never be asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {url}/a.mp4\n",
    "file": "ffconcat version 1.0\nfile /etc/passwd\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}/</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_and_nobody_is_asked(tmp_path, outside, kind):
    url, asked = outside
    (tmp_path / "upload").write_text(PLAYLISTS[kind].format(url=url))

    with pytest.raises(Permanent):
        run(tmp_path / "upload", "transcode:240p", tmp_path / "made")
    assert asked == []


@pytest.mark.parametrize("content", [b"", b"MZ\x90\0", b"\0" * 4096, b"\x1a\x45\xdf\xa3" + b"\xff" * 64])
def test_what_is_no_recording_is_refused_for_good(tmp_path, content):
    (tmp_path / "upload").write_bytes(content)

    with pytest.raises(Permanent):
        run(tmp_path / "upload", "probe", tmp_path)


def test_one_that_takes_too_long_is_ended_with_all_it_started_and_may_be_tried_again(film, tmp_path):
    long = tmp_path / "long"
    card = ["-f", "lavfi", "-i", "color=duration=60:size=1280x720:rate=25"]
    subprocess.run(["ffmpeg", "-v", "error", *card, "-c:v", "mjpeg", "-q:v", "31", "-f", "avi", str(long)], check=True)
    began = time.monotonic()

    with pytest.raises(TimeoutError, match="took more than"):
        run(long, "transcode:720p", tmp_path / "made", timeout=0.8)

    assert time.monotonic() - began < 30
    running = subprocess.run(["pgrep", "-f", str(long)], capture_output=True, text=True, check=False).stdout
    assert running == ""
    assert [*(tmp_path / "made").glob("*")] == []


def test_without_ffmpeg_it_is_said_what_to_install(film, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Permanent, match="apt install ffmpeg"):
        run(film, "probe", tmp_path)


RUN = """
import sys
from pathlib import Path
from nexus_middleware.services.jobs.content import recordings
from nexus_middleware.services.jobs.content.outputs import Operation
recordings.process(Path(sys.argv[1]), Operation.read("transcode:240p"), Path(sys.argv[2]), timeout=100.0)
"""


def test_a_kill_in_the_middle_leaves_no_half_file_and_the_next_run_makes_it_whole(tmp_path):
    long, made = tmp_path / "long", tmp_path / "made"
    card = ["-f", "lavfi", "-i", "color=duration=40:size=320x240:rate=25"]
    subprocess.run(["ffmpeg", "-v", "error", *card, "-c:v", "mjpeg", "-q:v", "31", "-f", "avi", str(long)], check=True)
    process = subprocess.Popen([sys.executable, "-c", RUN, str(long), str(made)])
    deadline = time.monotonic() + 30
    while not [*made.glob(".part-*")]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        each.kill()
    process.wait()

    assert [x.name for x in made.iterdir()] == [".part-transcode-240p.mp4"]
    run(long, "transcode:240p", made, timeout=100.0)
    assert [x.name for x in made.iterdir()] == ["transcode-240p.mp4"]
