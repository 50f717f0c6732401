"""Sound and moving pictures, by ffmpeg: a program that is given files only, little time, and no way to the network."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from ..registry import Permanent
from .outputs import Operation, written

# no playlists, which name other files and addresses, and no formats that are a list of files
FORMATS = "mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mp3,wav,flac,ogg,aac,asf,flv"
SAFE = ("-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS)
HEIGHTS = ("240p", "360p", "480p", "720p", "1080p")
MAX_SECONDS = 4 * 3600.0  # of a recording
MAX_BYTES = 4 * 2**30  # of what is written
TAIL = 500  # characters of what ffmpeg complains of
Progress = Callable[[float], None]  # told the share that is done, from 0 to 1


def process(
    source: Path, operation: Operation, folder: Path, *, timeout: float, progress: Progress = lambda _: None
) -> dict[str, Any]:
    """Do one of transcode:480p, audio, thumbnail:5s and probe.

    "transcode" makes an MP4 (H.264 and AAC) of at most that height, "audio" keeps the sound alone (m4a, if no format is
    said, mp3 or ogg), and "thumbnail" takes one picture, at 1 s if no time is said.

    Args:
        source: The recording.
        operation: What to do.
        folder: Where the result goes.
        timeout: Seconds of the clock; then ffmpeg and all it started are killed, and the job may be tried again.
        progress: Told how far it is.

    Raises:
        Permanent: it is no recording that we read, it is too long, or the operation is none.
        TimeoutError: it took too long.
    """
    facts = probe(source, timeout=timeout)
    if operation.name == "probe":
        return facts
    ending, options = _options(operation, facts)
    with written(folder, operation.file(ending)) as path:
        command = ["-y", *SAFE, "-i", f"file:{source}", *options, "-map_metadata", "-1", "-fs", str(MAX_BYTES)]
        muxer = {"m4a": "ipod", "jpeg": "mjpeg"}.get(ending, ending)
        _run("ffmpeg", [*command, "-f", muxer, f"file:{path}"], timeout, _meter(progress, facts["seconds"]))
        if not path.exists() or not path.stat().st_size:
            raise Permanent(f"ffmpeg made nothing of it: is it shorter than what {operation.name} asks for?")
    return {"file": operation.file(ending), "bytes": (folder / operation.file(ending)).stat().st_size}


def probe(source: Path, *, timeout: float) -> dict[str, Any]:
    """Return the recording's format, its length in seconds, and its streams.

    Raises:
        Permanent: it is none that we read, or too long.
    """
    wanted = "format=format_name,duration:stream=codec_type,codec_name,width,height"
    said = _run("ffprobe", [*SAFE, "-show_entries", wanted, "-of", "json", f"file:{source}"], timeout, None)
    found = msgspec.json.decode(said or b"{}")
    streams = [
        {key: each[key] for key in ("codec_type", "codec_name", "width", "height") if key in each}
        for each in found.get("streams", [])
    ]
    kinds = {each.get("codec_type") for each in streams}
    if not kinds & {"audio", "video"}:
        raise Permanent("the file has neither sound nor picture")
    seconds = float(found.get("format", {}).get("duration") or 0)
    if seconds > MAX_SECONDS:
        raise Permanent(f"the recording is {seconds:.0f} s long: at most {MAX_SECONDS:.0f}")
    return {"format": found.get("format", {}).get("format_name", ""), "seconds": seconds, "streams": streams}


def _options(operation: Operation, facts: dict[str, Any]) -> tuple[str, list[str]]:
    kinds = {each.get("codec_type") for each in facts["streams"]}
    needed = "audio" if operation.name == "audio" else "video"
    if operation.name not in ("transcode", "audio", "thumbnail"):
        raise operation.unknown("transcode:480p, audio, thumbnail:5s and probe")
    if needed not in kinds:
        raise Permanent(f"{operation.name} needs {needed}, and the file has none")
    if operation.name == "audio":
        ending = operation.ending(("m4a", "mp3", "ogg"), "m4a")
        codec = {"m4a": "aac", "mp3": "libmp3lame", "ogg": "libvorbis"}[ending]
        return ending, ["-vn", "-c:a", codec, "-b:a", "128k"]
    if operation.name == "thumbnail":
        size = operation.size or "1s"
        if not size[:-1].isdigit() or size[-1] != "s":
            raise Permanent("thumbnail needs a time such as thumbnail:5s")
        return operation.ending(("jpeg",), "jpeg"), [
            "-ss",
            size[:-1],
            "-frames:v",
            "1",
            "-vf",
            "scale=-2:'min(720,ih)'",
        ]
    if operation.size not in HEIGHTS:
        raise Permanent(f"transcode needs one of {', '.join(HEIGHTS)}")
    scale = f"scale=-2:'trunc(min({operation.size[:-1]},ih)/2)*2'"
    picture = ["-vf", scale, "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p"]
    return operation.ending(("mp4",), "mp4"), [*picture, "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"]


def _meter(progress: Progress, seconds: float) -> Callable[[bytes], None]:
    def told(line: bytes) -> None:
        name, _, value = line.strip().partition(b"=")
        if name == b"out_time_us" and value.isdigit() and seconds > 0:
            progress(min(1.0, int(value) / 1e6 / seconds))

    return told


def _run(program: str, arguments: list[str], timeout: float, told: Callable[[bytes], None] | None) -> bytes:
    """Run it in a group of its own with limits of its own; what it prints, or each line of its progress to `told`."""
    path = shutil.which(program)
    if path is None:
        raise Permanent(f"{program} is not installed: install ffmpeg (on Debian: apt install ffmpeg)")
    shared = ["-v", "error", "-nostdin"] if program == "ffmpeg" else ["-v", "error"]
    progress = ["-progress", "pipe:1"] if told is not None else []
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  # the program is found by us, and each argument is one of ours
            ["/bin/sh", "-c", _confined(timeout), path, *shared, *progress, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        alarm = threading.Timer(timeout, _end, (process,))
        alarm.start()
        try:
            printed = _follow(cast("IO[bytes]", process.stdout), told)
            process.wait()
            late = not alarm.is_alive()
        finally:
            alarm.cancel()
            _end(process)
            process.communicate()
        if late:
            raise TimeoutError(f"{program} took more than {timeout:g} s, and was ended")
        if process.returncode:
            raise _failure(program, process.returncode, said)
        return printed


def _follow(stdout: IO[bytes], told: Callable[[bytes], None] | None) -> bytes:
    if told is None:
        return stdout.read()
    for line in stdout:
        told(line)
    return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it, and all that it started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _confined(timeout: float) -> str:
    """Return what the shell does before it becomes the program: it bounds processor time, file sizes and core dumps."""
    seconds = int(timeout * (os.cpu_count() or 1)) + 1
    return f'ulimit -c 0; ulimit -t {seconds}; ulimit -f {MAX_BYTES // 512}; exec "$0" "$@"'


def _failure(program: str, code: int, said: IO[bytes]) -> Exception:
    said.seek(0)
    text = said.read()[-TAIL:].decode("utf-8", "replace").strip()
    if code < 0:  # ended by a signal: the machine's trouble, or a limit
        return OSError(f"{program} was ended by signal {-code}: {text}")
    return Permanent(f"{program} refused the file: {text}")
