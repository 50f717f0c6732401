"""What is released: a wheel and a source archive that hold all they need and nothing else, and work where they are unpacked."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMOKE = """
import asyncio, sys
import nexus_middleware
from nexus_middleware import Nexus, Settings
from nexus_middleware.admin import Admin
from nexus_middleware.stores.redis import RedisStore

assert nexus_middleware.__file__.startswith(sys.argv[1]), nexus_middleware.__file__

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})

async def main():
    nexus = Nexus(app, Settings(admin_token="a long secret of the tests", log_level="error"))
    for path, expected in (("/", 200), ("/livez", 200), ("/admin/infrastructure/", 401)):
        sent = []
        async def receive(): return {"type": "http.request", "body": b"", "more_body": False}
        async def send(message): sent.append(message)
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path}
        scope |= {"raw_path": path.encode(), "query_string": b"", "headers": [(b"host", b"a")], "scheme": "http"}
        await nexus({**scope, "root_path": "", "client": ("203.0.113.7", 1), "server": ("a", 80)}, receive, send)
        assert sent[0]["status"] == expected, (path, sent[0])
    await nexus.runtime.aclose()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def ours():
    """What the package is made of, as the repository has it."""
    files = subprocess.run(
        ["git", "ls-files", "nexus_middleware"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {*files.stdout.split()}


def test_the_wheel_has_each_file_of_the_package_and_no_other(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert ours() <= names
    assert {name for name in names - ours() if not (ROOT / name).exists()} == set()
    assert {name.partition("/")[0] for name in names} == {"nexus_middleware"}
    assert "nexus_middleware/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]


def test_the_source_archive_has_what_the_wheel_is_built_of(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert ours() | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests", "example_app", "docs"))]


def test_the_wheel_names_its_licences_python_and_extras(built):
    with zipfile.ZipFile(built[1]) as wheel:
        (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        told = email.message_from_bytes(wheel.read(path))
        texts = {name.rpartition("/")[2] for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert (told["License-Expression"], told["Requires-Python"]) == ("MIT AND Apache-2.0", ">=3.11")
    assert texts == {"LICENSE", "htm.LICENSE", "preact.LICENSE"}
    assert {*told.get_all("Provides-Extra")} == {"html", "local", "media", "otel", "push"}
    always = [line for line in told.get_all("Requires-Dist") if "extra ==" not in line]
    assert len(always) <= 12, "a user of one layer installs all of these"


def test_the_wheel_works_where_it_is_unpacked(built, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path / "site"]
    subprocess.run([*pip, built[1]], check=True, timeout=100)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    for command in (["-c", SMOKE, str(tmp_path)], ["-m", "nexus_middleware", "check", "--help"]):
        ran = subprocess.run(
            [sys.executable, *command], env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")
