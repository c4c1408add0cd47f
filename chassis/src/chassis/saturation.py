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
    """Begins to look at a gunicorn worker of the kind gthread."""
    THREADS.set(worker.cfg.threads)
    Thread(target=_look, args=(worker,), name="saturation", daemon=True).start()


def _look(worker: Any) -> None:
    while True:
        pool = worker.tpool  # concurrent.futures.ThreadPoolExecutor, which tells this to nobody
        frames = sys._current_frames()
        running = [frames[thread.ident] for thread in pool._threads if thread.ident in frames]
        # A thread without work waits for it in the pool's own loop.
        BUSY.set(sum(frame.f_code.co_name != "_worker" for frame in running))
        WAITING.set(pool._work_queue.qsize())
        del frames, running
        sleep(1)
