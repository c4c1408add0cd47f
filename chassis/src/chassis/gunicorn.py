"""gunicorn's configuration for every service: ``gunicorn -c python:chassis.gunicorn config.wsgi``.

https://docs.gunicorn.org/en/stable/settings.html
"""

import gc
import os
from functools import lru_cache
from pathlib import Path
from threading import local
from typing import Any

from chassis import env, logs, metrics

# BIND: host:port of the HTTP server.
bind = env.text("BIND", "127.0.0.1:8000")
# WORKERS: processes; THREADS: requests each of them answers at once. One worker keeps memory low (docs/adr).
workers = env.integer("WORKERS", 1, least=1)
threads = env.integer("THREADS", 8, least=1)
worker_class = "chassis.web_worker.Worker"  # gthread, with threads that wait for requests themselves
# Not preloaded, so that a HUP takes new code and closes no connection.
preload_app = False
# Longer than the gateway keeps idle connections: the side that sends must be the one that closes.
keepalive = 75
# A heartbeat of the worker, not a limit for requests: those have statement and lock time-outs, and their deadline.
timeout = 60
graceful_timeout = 15
backlog = 1024
# Instances would share the socket below $HOME.
control_socket_disable = True
worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat file on a disk can stall a worker
forwarded_allow_ips = "*"  # only the gateway can reach this port; it sets X-Forwarded-Proto itself
limit_request_line = 8190  # as much as the gateway lets through: 100 SKUs in a query are up to 7 kB
accesslog = None
logger_class = "chassis.server.Logger"
# The master's own lines look like all others. It knows no settings: products-1 is an instance of products.
_instance = env.text("INSTANCE", "gunicorn")
logconfig_dict = logs.configure(service=_instance.rstrip("-0123456789"), instance=_instance, level=env.log_level())


def on_starting(server: Any) -> None:
    """Before the first worker: metrics of an earlier run are forgotten."""
    metrics.empty_directory()
    # Waking up does not drive another process from its processor: a request goes through many, and each that is driven
    # out comes back to cold caches (docs/adr/010). Workers inherit it. https://man7.org/linux/man-pages/man7/sched.7.html
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def when_ready(server: Any) -> None:
    """The master serves the metrics of all its workers."""
    # METRICS_BIND: host:port of the metrics exporter; empty for none.
    if address := env.text("METRICS_BIND", ""):
        metrics.serve(address, workers=lambda: list(server.WORKERS))


def post_worker_init(worker: Any) -> None:
    """A worker has loaded the code: it tells what that is, and how busy it is."""
    from django.core import signals
    from django.core.cache import close_caches
    from django.core.handlers.base import reset_urlconf
    from django.db import close_old_connections, connections, reset_queries
    from django.urls import get_resolver

    from chassis import build, saturation  # only a worker has these gauges, not the master

    build.tell(Path.cwd())
    # What is loaded by now stays: collections need not look at it again. https://docs.python.org/3/library/gc.html#gc.freeze
    gc.collect()
    gc.freeze()
    # Of Django's three checks of connections a request, the one at its beginning is enough. No cache here has any.
    signals.request_started.disconnect(reset_queries)
    signals.request_finished.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_caches)
    # Each request begins with setting it.
    signals.request_finished.disconnect(reset_urlconf)
    # A thread has its connection. Django asks eight times a request whether a coroutine runs in it; here none does.
    connections._connections = local()  # type: ignore[attr-defined]
    # Most requests are for few paths, and to find a path's route takes as long as a tenth of a small request.
    resolver = get_resolver()
    resolver.resolve = lru_cache(maxsize=1000)(resolver.resolve)  # type: ignore[method-assign]
    saturation.watch(worker)


def child_exit(server: Any, worker: Any) -> None:
    """A worker is gone, and its gauges with it."""
    metrics.forget_worker(worker.pid)
