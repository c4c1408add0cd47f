"""What runs, since when, and how much processor and memory it takes."""

import time

import psutil

from local import census
from local.shop import Shop

MIB = 1024 * 1024


def table(shop: Shop) -> list[str]:
    """A line for each process, and the total. CPU: the share of one core, on average since the start. Memory is the
    proportional set size: shared pages are counted once.
    """
    if not shop.supervisor.alive():
        left = census.members(shop.state)
        return [f"down, but {len(left)} processes are left: `make down` ends them" if left else "down"]
    lines = [f"{'process':<18}{'state':<10}{'pid':>8}{'up for':>12}{'cpu':>10}{'memory':>12}"]
    total_memory, total_share = 0, 0.0
    known = dict(sorted(shop.supervisor.processes().items(), key=lambda item: _place(shop, item[0])))
    supervisor = shop.supervisor.own_pid()
    known["supervisord"] = {"pid": supervisor, "start": _started(supervisor), "statename": "RUNNING"}
    for name, process in known.items():
        alone = name == "supervisord"  # all others are its children
        seconds = max(1.0, time.time() - process["start"])
        memory, used = _used(process["pid"], children=not alone)
        total_memory, total_share = total_memory + memory, total_share + used / seconds
        up_for = _duration(seconds) if process["pid"] else "-"
        state = process["statename"].lower()
        share = f"{used / seconds:>10.1%}"
        lines.append(f"{name:<18}{state:<10}{process['pid'] or '-':>8}{up_for:>12}{share}{memory / MIB:>8.1f} MiB")
    return [*lines, f"{'total':<48}{total_share:>10.1%}{total_memory / MIB:>8.1f} MiB"]


def _place(shop: Shop, name: str) -> int:
    names = list(shop.table)
    return names.index(name) if name in names else len(names)


def _used(pid: int, *, children: bool = True) -> tuple[int, float]:
    """Proportional set size in bytes and CPU in seconds, of the process and its children; 0 for what is gone."""
    memory, seconds = 0, 0.0
    try:
        process = psutil.Process(pid) if pid else None
        for each in [process, *(process.children(recursive=True) if children else [])] if process else []:
            times = each.cpu_times()
            memory += each.memory_full_info().pss
            seconds += times.user + times.system + (times.children_user + times.children_system if children else 0.0)
    except psutil.NoSuchProcess:
        pass
    return memory, seconds


def _started(pid: int) -> float:
    return float(psutil.Process(pid).create_time())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
