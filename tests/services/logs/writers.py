"""A process that writes many lines, for those who kill it."""

import os
import resource
import sys
import threading
import time

from nexus_middleware import Settings
from nexus_middleware.middleware.request_logger import AccessLine
from nexus_middleware.services import logs
from nexus_middleware.services.logs import files, writer


def many(folder, mark, count, largest):
    """Write `count` lines of requests, with errors in between, and wait to be ended."""
    log = logs.configure(Settings(log_dir=folder), out=lambda text: None)
    for file in log.writer._files.values():
        file._largest, file._kept = largest, 100
    for number in range(count):
        log.access(AccessLine(time.time(), "GET", f"/{mark}/{number}", 200, 0.001, "203.0.113.7", "", "probe"))
        if number % 500 == 0:
            log.error(f"{mark} failed at {number}")
        if number % 100 == 0:
            time.sleep(0.001)
    sys.stdout.write("written\n")
    sys.stdout.flush()
    if mark.startswith("wait"):
        time.sleep(60)


def endless(folder, mark):
    """Write a line a millisecond, and say when each was taken; an error now and then.

    A thread that waits as the log's own does says how much later than asked it ran: the machine's doing, not the log's.
    """

    def late():
        while True:
            began = time.monotonic()
            threading.Event().wait(writer.EVERY)
            os.write(1, b"L%f\n" % (time.monotonic() - began - writer.EVERY))

    threading.Thread(target=late, daemon=True).start()
    log = logs.configure(Settings(log_dir=folder), out=lambda text: None)
    number = 0
    while True:
        log.access(AccessLine(time.time(), "GET", f"/{mark}/{number}", 200, 0.001, "203.0.113.7", "", "probe"))
        if number % 50 == 0:
            log.error("failed", number=number)
            os.write(1, b"E%d\n" % number)
        os.write(1, b"A%d %f\n" % (number, time.time()))
        number += 1
        time.sleep(0.001)


def full(folder):
    """Write lines to a disk that takes no file over 20,000 bytes."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    files.LARGEST = 10**9
    log = logs.Log(Settings(log_dir=folder), out=lambda text: None)
    for number in range(1_000):
        log.info("line", number=number, more="x" * 50)
        if number % 7 == 0:
            log.writer.flush()
    log.writer.flush()
    sys.stdout.write("served\n")


if __name__ == "__main__":
    {"many": lambda a, b, c, d: many(a, b, int(c), int(d)), "endless": endless, "full": full}[sys.argv[1]](
        *sys.argv[2:]
    )
