"""gunicorn's worker with threads, whose threads wait for requests themselves.

gunicorn's own kind, gthread, has one thread wait for all connections: it hands each request to another thread, which
hands the connection back. That is two wake-ups, a pipe and two queues a request, and as much CPU as a small request
takes otherwise (docs/adr/010-one-worker-many-threads.md). Here every thread waits in the same epoll. The kernel wakes
one for a connection on which there is something to read: the one that fell asleep last, whose caches and database
connection are warm. EPOLLONESHOT gives the connection to that thread alone, until the thread puts it back.
https://man7.org/linux/man-pages/man2/epoll_ctl.2.html

Answering requests stays gunicorn's (``ThreadWorker.handle``), and reading them but for plain heads
(chassis.request_parser). What it refuses is told in our words (chassis.server).
"""

import os
import select
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]
    STOP_KEEPALIVE_LINGER,
    TConn,
    ThreadWorker,
)

from chassis import answer_first, deadline, logs, server
from chassis.request_parser import Parser

_ONCE = select.EPOLLIN | select.EPOLLONESHOT
# struct tcp_info, linux/tcp.h: eight bytes, then 32-bit numbers; the twelfth is tcpi_last_data_recv, in milliseconds.
_LAST_DATA_RECEIVED = struct.Struct("=52xI")
_STOP_STEP_SECONDS = 0.05
# Behind a shorter queue, to look at the door costs a checkout more than newcomers gain (docs/performance.md).
_QUEUE_SECONDS = 0.1
_BEAT_SECONDS = 0.25
# Nobody turns up for so long, neither the main thread nor one to whom a request comes, where the process was stopped.
_STANDSTILL_SECONDS = 0.5


class Worker(ThreadWorker):
    """A worker of gunicorn's kind gthread, without its main thread between a connection and who answers it."""

    def init_process(self) -> None:
        """After the fork: what the threads share."""
        # gunicorn looks up a setting by two calls, 31 times a request: a fifth of its time. Here they are attributes.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self.alive: bool
        self._epoll, self._end = select.epoll(), os.eventfd(0)
        self._open, self._door = set[TConn](), Lock()
        self._beat = self._woke = 0.0
        # Those that no thread has, by file descriptor. gthread refuses to keep more alive than it has room for.
        self.keepalived_conns = dict[int, TConn]()
        self._listeners = {listener.fileno(): (listener, listener.getsockname()) for listener in self.sockets}
        self.threads = [Thread(target=self._serve, name=f"web-{n}", daemon=True) for n in range(self.cfg.threads)]
        super().init_process()

    def run(self) -> None:
        """The main thread: the heartbeat, idle connections, the end."""
        logs.output.together = True
        self.poller.register(self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks)
        self._epoll.register(self._end, select.EPOLLIN)
        for listener in self.sockets:
            listener.setblocking(False)
            self._epoll.register(listener, _ONCE)
        # Who came before, while the code was loaded, found the process standing still.
        self._beat = self._woke = time.monotonic()
        for thread in self.threads:
            thread.start()
        while self.alive and self.is_parent_alive():
            self.notify()
            self.wait_for_and_dispatch_events(timeout=_BEAT_SECONDS)  # or until handle_exit
            self._hang_up_on_idle()
            self._listen()
            logs.output.flush()  # whatever waited
        self.alive = False
        self._stop()

    def waiting(self) -> int:
        """Connections on which there is something to read, and no thread for it."""
        poll = select.poll()
        for fd in self.keepalived_conns.copy():
            poll.register(fd, select.POLLIN)
        return sum(bool(event & select.POLLIN) for _, event in poll.poll(0))

    def notify(self) -> None:
        """The main thread's heartbeat: for gunicorn, which ends a worker without one, and to know of a standstill."""
        self._turn_up(time.monotonic())
        super().notify()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """The end, at once."""
        os.eventfd_write(self._end, 1)
        super().handle_quit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Whatever a thread could not answer."""
        server.refuse(client, exc, self.log)

    def _serve(self) -> None:
        """A thread: one event at a time; whatever else is ready wakes another thread."""
        while True:
            ((fd, _),) = self._epoll.poll(maxevents=1)
            try:
                if fd == self._end:
                    return
                if fd in self._listeners:
                    if self._let_in(*self._listeners[fd]):
                        self._listen()
                elif conn := self.keepalived_conns.pop(fd, None):
                    with answer_first.the_rest:
                        self._answer(conn)
            except Exception:
                self.log.exception("web_worker")

    def _listen(self) -> None:
        """Listens while there is room for another connection."""
        if self.alive and len(self._open) < self.worker_connections:
            for listener in self.sockets:
                self._epoll.modify(listener, _ONCE)

    def _let_in(self, listener: Any, address: Any) -> bool:
        """All that wait: one at each turn would leave newcomers behind every connection that is busy already.

        False where the next one would fare no better.
        """
        with self._door:
            # The rest waits, for room or the next worker.
            while self.alive and len(self._open) < self.worker_connections:
                try:
                    connected, client = listener.accept()
                except BlockingIOError:  # no more, or another thread or worker was faster
                    break
                except OSError as error:  # the client has gone, or there are too many open files
                    self.log.debug("accept: %s", error)
                    return False  # the main thread listens again
                conn = TConn(self.cfg, connected, client, address)
                conn.parser = Parser(self.cfg, connected, client)
                conn.data_ready = True  # when a thread comes to it
                self._open.add(conn)
                self._put_back(conn, self._epoll.register)
        return True

    def _look_at_the_door(self) -> None:
        """Lets newcomers in now: with their listener's turn before their own, they would stand in the queue twice."""
        if not self._door.locked():
            for listener, address in self._listeners.values():
                self._let_in(listener, address)

    def _put_back(self, conn: TConn, into_epoll: Callable[[int, int], None]) -> None:
        """Any thread may have the connection when there is something to read."""
        conn.timeout = time.monotonic() + (self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER)
        fd = conn.sock.fileno()
        self.keepalived_conns[fd] = conn
        into_epoll(fd, _ONCE)

    def _answer(self, conn: TConn) -> None:
        """The request, and those that the client has sent behind it already."""
        deadline.stood.seconds = self._seconds_in_queue(conn.sock)
        if deadline.stood.seconds > _QUEUE_SECONDS:
            self._look_at_the_door()
        keep = False
        try:
            while (keep := self.handle(conn)) and conn.parser.unreader.buf.getvalue():
                deadline.stood.seconds = 0.0
        finally:
            if keep:
                self._put_back(conn, self._epoll.modify)
            else:
                self._open.discard(conn)
                conn.close(graceful=True)

    def _seconds_in_queue(self, connection: socket.socket) -> float:
        """How long the request has waited for a thread.

        A standstill is no queue: who came while the process was stopped waits from when it wakes up.
        """
        waited, now = _seconds_since_data(connection), time.monotonic()  # in this order: it may be stopped in between
        self._turn_up(now)
        return min(waited, now - self._woke)

    def _turn_up(self, now: float) -> None:
        """Whichever thread is the first to do so after a standstill ends it."""
        if now - self._beat > _STANDSTILL_SECONDS:
            self._woke = now
        self._beat = max(self._beat, now)

    def _hang_up_on_idle(self) -> None:
        """Connections whose time is over, for their threads to close: one that has just got a request answers it."""
        now = time.monotonic()
        for conn in self.keepalived_conns.copy().values():
            if conn.timeout <= now:
                with suppress(OSError):  # gone meanwhile
                    conn.sock.shutdown(socket.SHUT_RD)

    def _stop(self) -> None:
        """Requests under way are answered, and those that come on open connections meanwhile; then all is closed."""
        with self._door:  # whoever was being let in is
            begin = time.monotonic()
        for conn in self.keepalived_conns.copy().values():
            conn.timeout = min(conn.timeout, begin + STOP_KEEPALIVE_LINGER)
        end = begin + self.cfg.graceful_timeout
        while (self._open or answer_first.under_way()) and time.monotonic() < end:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=_STOP_STEP_SECONDS)
            self._hang_up_on_idle()
            logs.output.flush()
        logs.output.together = False
        os.eventfd_write(self._end, 1)
        for listener in self.sockets:
            listener.close()


def _seconds_since_data(connection: socket.socket) -> float:
    """How long what there is to read has been there: https://man7.org/linux/man-pages/man7/tcp.7.html (TCP_INFO)"""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED.size)
    return float(_LAST_DATA_RECEIVED.unpack(told)[0]) / 1000
