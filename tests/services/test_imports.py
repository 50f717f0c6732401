"""What a process loads that only might queue jobs."""

import subprocess
import sys


def test_whoever_may_queue_jobs_loads_none_of_the_heavy_libraries_before_the_first():
    heavy = ["rq", "httpx", "limits", "PIL", "croniter", "starlette"]
    code = (
        "import sys; from nexus_middleware.services.queues import Queues; Queues('redis://127.0.0.1:1');"
        f"print(*[name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
