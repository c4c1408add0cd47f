"""A gateway to measure: in front of an upstream that costs next to nothing (nginx, one body from memory)."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Gateway, free_port, listens, nginx_program, wait_until

# As large as a list of 20 products.
BODY = b'{"results": [' + b"x" * 4080 + b"]}"

UPSTREAM = """
pid pid; worker_processes 1; error_log stderr error; {user}
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; open_file_cache max=10;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            add_header Cache-Control "max-age=1, stale-while-revalidate=1";
            add_header X-Served-By products-1;
            root files; default_type application/json; try_files /body.json =404;
        }}
    }}
}}
"""

# What runs njs for each request.
HOOK = "access_log /dev/null json if=$observe_unless_refused;"

# The yardstick: a static file as nginx serves it without anything else on.
STATIC = """
server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log off;
    root "{root}";
}}
"""


@dataclass(frozen=True)
class Setting:
    """The four addresses that are measured, and the gateways: `bare`, at `unmetered`, has no metrics."""

    gateway: Gateway
    bare: Gateway
    cached: str
    unmetered: str
    static: str
    upstream: str


@contextlib.contextmanager
def setting() -> Iterator[Setting]:
    """Starts upstream and gateway; ends both afterwards."""
    with tempfile.TemporaryDirectory() as name, _upstream(Path(name) / "upstream") as upstream:
        folder = Path(name)
        folder.chmod(0o755)
        static = free_port()
        addresses = {f"PRODUCTS_{i}_ADDRESS": f"127.0.0.1:{upstream}" for i in (1, 2)}
        gateway = Gateway(folder / "gateway", addresses, GATEWAY_WORKERS="auto")
        root = gateway.folder / "media"
        (root / "body.json").write_bytes(BODY)
        internal = gateway.folder / "conf" / "conf.d" / "internal.conf"
        internal.write_text(internal.read_text() + STATIC.format(port=static, root=root))
        bare = Gateway(folder / "unmetered", addresses, GATEWAY_WORKERS="auto")
        log = bare.folder / "conf" / "conf.d" / "log.conf"
        assert HOOK in log.read_text()
        log.write_text(log.read_text().replace(HOOK, ""))
        gateway.start()
        bare.start()
        try:
            yield Setting(
                gateway,
                bare,
                f"http://127.0.0.1:{gateway.port}/api/v1/products",
                f"http://127.0.0.1:{bare.port}/api/v1/products",
                f"http://127.0.0.1:{static}/body.json",
                f"http://127.0.0.1:{upstream}/api/v1/products",
            )
        finally:
            gateway.stop()
            bare.stop()


@contextlib.contextmanager
def _upstream(folder: Path) -> Iterator[int]:
    port = free_port()
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "body.json").write_bytes(BODY)
    (folder / "nginx.conf").write_text(UPSTREAM.format(port=port, user="user root;" if os.geteuid() == 0 else ""))
    command = [nginx_program(), "-p", f"{folder}/", "-c", "nginx.conf"]
    subprocess.run(command, check=True)
    try:
        wait_until(lambda: listens(port), "the upstream listens")
        yield port
    finally:
        subprocess.run([*command, "-s", "stop"], check=True)
        wait_until(lambda: not listens(port), "the upstream is gone")
