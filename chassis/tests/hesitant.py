"""A worker that has let somebody in for a while before it knows."""

import time

from chassis import web_worker


class Door:
    def __init__(self, listener):
        self.listener = listener

    def accept(self):
        accepted = self.listener.accept()
        time.sleep(0.3)
        return accepted


class Worker(web_worker.Worker):
    def _let_in(self, listener, address):
        return super()._let_in(Door(listener), address)
