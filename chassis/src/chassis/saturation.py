"""How busy a web process is: its threads, and what waits for one.

They are looked at once a second by a thread of the process; no request pays for it.
"""

import sys
from threading import Thread
from time import sleep
from typing import Any

from prometheus_client import Gauge

THREADS = Gauge("server_threads", "Requests that can be answered at once.", multiprocess_mode="livesum")
BUSY = Gauge("server_threads_busy", "Threads that are at work on a request.", multiprocess_mode="livesum")
WAITING = Gauge("server_queue_requests", "Connections that wait for a thread.", multiprocess_mode="livesum")


def watch(worker: Any) -> None:
    """Begins to look at a worker (chassis.web_worker)."""
    THREADS.set(worker.cfg.threads)
    Thread(target=_look, args=(worker,), name="saturation", daemon=True).start()


def _look(worker: Any) -> None:
    while True:
        frames = sys._current_frames()
        running = [frames[thread.ident] for thread in worker.threads if thread.ident in frames]
        # A thread without work waits for it right there.
        BUSY.set(sum(frame.f_code.co_name != "_serve" for frame in running))
        WAITING.set(worker.waiting())
        del frames, running
        sleep(1)
