"""A worker that has let somebody in for a while before it knows."""

import time

from chassis import web_worker


class Door:
    def __init__(self, listener):
        self.listener = listener
        self.getsockname = listener.getsockname

    def accept(self):
        accepted = self.listener.accept()
        time.sleep(0.3)
        return accepted


class Worker(web_worker.Worker):
    def _accept(self, listener):
        super()._accept(Door(listener))
