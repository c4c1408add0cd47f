"""Databases: connections, transactions, locks, slow statements, sizes."""

from dashboards.model import GREEN, RED, YELLOW, Dashboard, Panel, Query, Variable

_S = 'server=~"$server"'
_D = f'{_S},datname=~"$database"'


def _rate(column: str) -> str:
    return f"sum by (datname) (rate(pg_stat_database_{column}{{{_D}}}[$__rate_interval]))"


_FAST = 'bucket{le="0.5"}'
_QUERIES = "rate(django_db_query_duration_seconds_%s[$__rate_interval])"

DASHBOARD = Dashboard(
    file="databases",
    uid="comptoir-databases",
    title="Databases",
    description="PostgreSQL: connections, transactions, locks, slow statements, sizes. In Docker a server for each.",
    variables=[
        Variable("server", "label_values(pg_up, server)"),
        Variable("database", "label_values(pg_database_size_bytes, datname)"),
    ],
    rows={
        "Servers": [
            Panel(
                "Up",
                "Whether each server answers.",
                [Query(f"pg_up{{{_S}}}", "{{server}}")],
                kind="stat",
                words={"0": ("down", RED), "1": ("up", GREEN)},
                height=5,
            ),
            Panel(
                "Running for",
                "Time since the server started.",
                [Query(f"time() - pg_postmaster_start_time_seconds{{{_S}}}", "{{server}}")],
                kind="stat",
                unit="dtdurations",
                height=5,
            ),
            Panel(
                "Connections taken",
                "Of those that the server allows. At 80 % an alert tells, at 100 % requests fail.",
                [Query(f"server:pg_connections:ratio{{{_S}}}", "{{server}}")],
                kind="bargauge",
                unit="percentunit",
                height=5,
                most=1,
                steps=[(0.6, YELLOW), (0.8, RED)],
            ),
        ],
        "Connections and transactions": [
            Panel(
                "Connections by state",
                "Each thread of a web process keeps one. idle in transaction: something holds a transaction open.",
                [Query(f"sum by (state) (pg_stat_activity_count{{{_D}}})", "{{state}}")],
                stacked=True,
            ),
            Panel(
                "Connections by database",
                "All states.",
                [Query(f"sum by (datname) (pg_stat_activity_count{{{_D}}})", "{{datname}}")],
                stacked=True,
            ),
            Panel("Transactions", "Committed per second.", [Query(_rate("xact_commit"), "{{datname}}")], "ops"),
            Panel(
                "Rolled back",
                "Per second. A refused request rolls back; many at once deserve a look.",
                [Query(_rate("xact_rollback"), "{{datname}}")],
                unit="ops",
            ),
            Panel(
                "Longest transaction",
                "Age of the oldest open one. Statements end after 5 s, idle transactions after 10 s.",
                [Query(f"max by (datname) (pg_stat_activity_max_tx_duration{{{_D}}})", "{{datname}}")],
                unit="s",
                steps=[(10, RED)],
            ),
            Panel(
                "New connections of the services",
                "Per second. They are kept, so this is about 0 but for restarts.",
                [Query("sum by (service) (rate(django_db_new_connections_total[$__rate_interval]))", "{{service}}")],
                unit="ops",
            ),
        ],
        "Locks and slow statements": [
            Panel(
                "Locks by mode",
                "Held or waited for. accessexclusivelock: a migration.",
                [Query(f"sum by (mode) (pg_locks_count{{{_D}}})", "{{mode}}")],
            ),
            Panel(
                "Connections that wait for a lock",
                "Buyers of one product wait for its row; waiting ends after 2 s.",
                [Query(f"pg_locks_waiting{{{_S}}}", "{{server}}")],
                steps=[(10, YELLOW)],
            ),
            Panel(
                "Deadlocks",
                "Per second. Locks are taken in one order everywhere, so this is 0.",
                [Query(_rate("deadlocks"), "{{datname}}")],
                unit="ops",
                steps=[(0.01, RED)],
            ),
            Panel(
                "Slow statements",
                "Per second, slower than 500 ms, as the services see it. No log has them: they would hold addresses.",
                [
                    Query(
                        f"sum by (service) ({_QUERIES % 'count'}) - sum by (service) ({_QUERIES % _FAST})",
                        "{{service}}",
                    )
                ],
                unit="ops",
                steps=[(0.1, YELLOW)],
            ),
            Panel(
                "Statements, p95",
                "19 of 20 statements took at most this long, as the services see it.",
                [
                    Query(
                        f"histogram_quantile(0.95, sum by (service, le) ({_QUERIES % 'bucket'}))",
                        "{{service}}",
                    )
                ],
                unit="s",
            ),
            Panel(
                "Statements a second",
                "Sent by each service.",
                [Query(f"sum by (service) ({_QUERIES % 'count'})", "{{service}}")],
                unit="ops",
            ),
        ],
        "Data": [
            Panel(
                "Sizes",
                "Disk space of each database.",
                [Query(f"pg_database_size_bytes{{{_D}}}", "{{datname}}")],
                unit="bytes",
                stacked=True,
            ),
            Panel(
                "Write-ahead log",
                "On disk. It shrinks at checkpoints.",
                [Query(f"pg_wal_size_bytes{{{_S}}}", "{{server}}")],
                unit="bytes",
            ),
            Panel(
                "Found in memory",
                "Share of blocks that PostgreSQL had in its own cache.",
                [Query(f"{_rate('blks_hit')} / ({_rate('blks_hit')} + {_rate('blks_read')})", "{{datname}}")],
                unit="percentunit",
                most=1,
            ),
            Panel(
                "Rows read",
                "Fetched per second.",
                [Query(_rate("tup_fetched"), "{{datname}}")],
                unit="ops",
                width=12,
            ),
            Panel(
                "Rows written",
                "Inserted, updated and deleted per second.",
                [Query(" + ".join(map(_rate, ("tup_inserted", "tup_updated", "tup_deleted"))), "{{datname}}")],
                unit="ops",
                width=12,
            ),
        ],
    },
)
