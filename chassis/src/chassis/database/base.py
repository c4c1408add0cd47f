"""Django's PostgreSQL backend as django-prometheus counts it, with a health check that costs no round trip.

Kept connections are checked before each request. Django asks ``SELECT 1``; here the connection's socket is looked at:
where the server has closed it, or has said anything unasked, there is something to read, and only then it is asked.
"""

from select import POLLIN, poll

from django_prometheus.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    def is_usable(self) -> bool:
        """Whether the connection still stands."""
        if self.connection is None or self.connection.closed:
            return False
        socket = poll()
        socket.register(self.connection, POLLIN)
        return not socket.poll(0) or bool(super().is_usable())
