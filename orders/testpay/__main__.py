"""``python -m testpay``: serves until SIGTERM."""

import signal
import sys
import time

import psycopg2
from chassis import env

from testpay.charges import Charges
from testpay.server import Server


def main() -> None:
    """Waits for the database, then serves."""
    if env.production():
        raise SystemExit("comptoir: the test payment provider does not run in production")
    # BIND: host:port; DATABASE_URL: the provider's own database; PAYMENT_SECRET: shared with orders.
    host, _, port = env.text("BIND", "127.0.0.1:5006").rpartition(":")
    charges = Charges(env.text("DATABASE_URL"))
    while True:
        try:
            charges.make_table()
            break
        except psycopg2.OperationalError as error:
            print(f"testpay waits for its database: {error}".strip(), file=sys.stderr)
            time.sleep(1)
    server = Server((host, int(port)), charges, env.secret("PAYMENT_SECRET"))
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        server.serve_forever()
    except (KeyboardInterrupt, SystemExit):
        server.server_close()


if __name__ == "__main__":
    main()
