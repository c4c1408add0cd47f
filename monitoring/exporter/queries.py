"""What the exporter asks a server. Only catalogues and statistics: the role `monitor` can read nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, eq=False)
class Query:
    """A statement whose rows are labels, then values: each value a metric called <name>_<column>, or <name>."""

    name: str
    help: str
    statement: str
    values: Mapping[str, str]
    """Columns, and what they are: a gauge, or a counter."""
    labels: Sequence[str] = ()


def _gauges(*columns: str) -> Mapping[str, str]:
    return MappingProxyType(dict.fromkeys(columns, "gauge"))


_STATES = "('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)')"
_MODES = (
    "('accesssharelock'), ('rowsharelock'), ('rowexclusivelock'), ('shareupdateexclusivelock'), ('sharelock'),"
    " ('sharerowexclusivelock'), ('exclusivelock'), ('accessexclusivelock')"
)
_OURS = "NOT datistemplate AND datname <> 'postgres'"
_COUNTED = (
    *("xact_commit", "xact_rollback", "deadlocks", "conflicts"),
    *("blks_read", "blks_hit", "blk_read_time", "blk_write_time", "temp_files", "temp_bytes"),
    *("tup_returned", "tup_fetched", "tup_inserted", "tup_updated", "tup_deleted"),
)

QUERIES = (
    Query(
        "pg_stat_database",
        "pg_stat_database, the column of this name.",
        f"""SELECT d.datname, numbackends, {", ".join(_COUNTED)}
            FROM pg_stat_database JOIN pg_database d ON d.oid = datid WHERE {_OURS.replace("datname", "d.datname")}""",
        MappingProxyType({"numbackends": "gauge"} | dict.fromkeys(_COUNTED, "counter")),
        labels=["datname"],
    ),
    Query(
        "pg_database",
        "Disk space that the database uses.",
        f"SELECT datname, pg_database_size(oid) FROM pg_database WHERE {_OURS}",
        _gauges("size_bytes"),
        labels=["datname"],
    ),
    Query(
        "pg_stat_activity",
        "Connections by state, and the seconds since the oldest transaction of them began.",
        f"""SELECT d.datname, state.name, count(a.pid),
                   coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)
            FROM pg_database d CROSS JOIN (VALUES {_STATES}) AS state (name)
            LEFT JOIN pg_stat_activity a ON a.datid = d.oid AND a.state = state.name AND a.pid <> pg_backend_pid()
            WHERE {_OURS.replace("datname", "d.datname")} GROUP BY 1, 2""",
        _gauges("count", "max_tx_duration"),
        labels=["datname", "state"],
    ),
    Query(
        "pg_locks",
        "Locks that are held or waited for, by mode.",
        f"""SELECT d.datname, mode.name, count(l.pid)
            FROM pg_database d CROSS JOIN (VALUES {_MODES}) AS mode (name)
            LEFT JOIN pg_locks l ON l.database = d.oid AND lower(l.mode) = mode.name
            WHERE {_OURS.replace("datname", "d.datname")} GROUP BY 1, 2""",
        _gauges("count"),
        labels=["datname", "mode"],
    ),
    Query(
        "pg_settings",
        "The setting of this name.",
        """SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
                  extract(epoch FROM pg_conf_load_time())""",
        _gauges("max_connections", "superuser_reserved_connections", "load_time_timestamp_seconds"),
    ),
    Query(
        "pg_connections",
        "Client connections to this server, whatever the database.",
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
        _gauges(""),
    ),
    Query(
        "pg_locks_waiting",
        "Connections that wait for a lock that another one holds.",
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        _gauges(""),
    ),
    Query(
        "pg_wal",
        "Size of the write-ahead log on disk.",
        "SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()",
        _gauges("size_bytes"),
    ),
    Query(
        "pg_postmaster",
        "When the server started, in Unix time.",
        "SELECT extract(epoch FROM pg_postmaster_start_time())",
        _gauges("start_time_seconds"),
    ),
    Query(
        "pg_static",
        "Always 1: the server's version.",
        "SELECT current_setting('server_version'), 1",
        _gauges(""),
        labels=["version"],
    ),
)
