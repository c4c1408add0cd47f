"""What runs, since when, and how much memory it takes."""

import time

import psutil

from local import census
from local.shop import Shop

MIB = 1024 * 1024


def table(shop: Shop) -> list[str]:
    """A line for each process, and the total. Memory is the proportional set size: shared pages are counted once."""
    if not shop.supervisor.alive():
        left = census.members(shop.state)
        return [f"down, but {len(left)} processes are left: `make down` ends them" if left else "down"]
    lines, total = [f"{'process':<18}{'state':<10}{'pid':>8}{'up for':>12}{'memory':>12}"], 0
    for name, known in sorted(shop.supervisor.processes().items(), key=lambda item: _place(shop, item[0])):
        memory = _memory(known["pid"])
        total += memory
        up_for = _duration(time.time() - known["start"]) if known["pid"] else "-"
        state = known["statename"].lower()
        lines.append(f"{name:<18}{state:<10}{known['pid'] or '-':>8}{up_for:>12}{memory / MIB:>8.1f} MiB")
    supervisor = _memory(shop.supervisor.own_pid(), children=False)
    lines.append(
        f"{'supervisord':<18}{'running':<10}{shop.supervisor.own_pid():>8}{'':>12}{supervisor / MIB:>8.1f} MiB"
    )
    return [*lines, f"{'total':<48}{(total + supervisor) / MIB:>8.1f} MiB"]


def _place(shop: Shop, name: str) -> int:
    names = list(shop.table)
    return names.index(name) if name in names else len(names)


def _memory(pid: int, *, children: bool = True) -> int:
    """Proportional set size in bytes, of the process and its children; 0 for what is gone meanwhile."""
    if not pid:
        return 0
    total = 0
    try:
        process = psutil.Process(pid)
        for each in [process, *(process.children(recursive=True) if children else [])]:
            total += each.memory_full_info().pss
    except psutil.NoSuchProcess:
        pass
    return total


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
