"""nginx with little configuration: what the gateway is held against, and the upstream behind it."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import all_workers, free_port, listens, nginx_program, wait_until

_MAIN = """
pid pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    keepalive_requests 10000; open_file_cache max=4096; sendfile off; request_pool_size 16k;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            {location}
        }}
    }}
    {http}
}}
"""

# A product read without the products: one body from memory.
UPSTREAM = (
    """
            add_header Cache-Control "max-age=1, stale-while-revalidate=1";
            add_header X-Served-By products-1;
            root files; default_type application/json; try_files /body.json =404;
    """,
    "access_log off;",
)

# The ceiling of a cached read that is logged and counted: one JSON line, a script of two counters, nothing else.
PROBE = (
    """
            proxy_cache pages;
            proxy_cache_lock on;
            proxy_cache_background_update on;
            proxy_cache_use_stale updating;
            proxy_pass http://127.0.0.1:UPSTREAM;
    """,
    """
    proxy_cache_path cache keys_zone=pages:8m use_temp_path=off;
    js_import count from count.js;
    js_shared_dict_zone zone=counts:1m type=number;
    js_set $count count.count;
    log_format json escape=json
        '{"time":"$time_iso8601","request_id":"$request_id","method":"$request_method","path":"$uri","status":$status,'
        '"bytes":$body_bytes_sent,"duration":$request_time,"client":"$remote_addr","cache":"$upstream_cache_status"}';
    access_log log json buffer=64k flush=1s;
    access_log /dev/null json if=$count;
    """,
)
COUNT = """
function count(r) {
    ngx.shared.counts.incr(r.variables.status, 1, 0);
    ngx.shared.counts.incr('seconds', Number(r.variables.request_time), 0);
    return '';
}
export default { count };
"""


@contextlib.contextmanager
def plain(folder: Path, location: str, http: str, *, workers: int) -> Iterator[tuple[int, set[int]]]:
    """Runs it in a folder that is there; yields its port and its workers' process ids."""
    port = free_port()
    (folder / "nginx.conf").write_text(_MAIN.format(port=port, location=location, http=http))
    user = "user root;" if os.geteuid() == 0 else ""  # its workers may read what is private to root
    command = [nginx_program(), "-p", f"{folder}/", "-c", "nginx.conf", "-g", f"{user} worker_processes {workers};"]
    subprocess.run(command, check=True)
    pid = folder / "pid"
    try:
        # It listens before it writes its process id.
        wait_until(lambda: listens(port) and pid.exists() and pid.read_text(), "nginx listens")
        yield port, all_workers(int(pid.read_text()), workers)
    finally:
        subprocess.run([*command, "-s", "stop"], check=True)
        wait_until(lambda: not listens(port), "nginx is gone")
