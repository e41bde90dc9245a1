"""Processor time and memory of processes with all their children, as read from /proc on Linux.

Other systems have no /proc: there the lists stay empty, and everything else is measured.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_KIB_PER_MB: Final = 1024
# Fields of /proc/PID/stat after the name in brackets, counted from 0.
_PARENT, _USER, _CHILDREN_SYSTEM = 1, 11, 14


@dataclass(frozen=True)
class Usage:
    """``cpu_s`` since the start, dead children included; ``pss_mb`` shares out what is shared."""

    cpu_s: float
    rss_mb: float
    pss_mb: float


def usage(roots: Mapping[str, int]) -> dict[str, Usage]:
    """What each of ``roots`` (name to process id) and its descendants use now."""
    if not PROC.is_dir():
        return {}
    stats = _read_stats()
    return {name: _measure_tree(pid, stats) for name, pid in roots.items() if pid in stats}


def _measure_tree(root: int, stats: Mapping[int, list[str]]) -> Usage:
    family = list(_find_descendants(root, stats))
    # A child that was waited for is counted by its parent, so the times of the living add up.
    ticks = sum(int(n) for pid in family for n in stats[pid][_USER : _CHILDREN_SYSTEM + 1])
    memory = [_read_memory(pid) for pid in family]
    return Usage(
        cpu_s=ticks / _TICKS_PER_S,
        rss_mb=round(sum(rss for rss, _ in memory) / _KIB_PER_MB, 1),
        pss_mb=round(sum(pss for _, pss in memory) / _KIB_PER_MB, 1),
    )


def _find_descendants(root: int, stats: Mapping[int, list[str]]) -> Iterable[int]:
    yield root
    for pid, fields in stats.items():
        if int(fields[_PARENT]) == root:
            yield from _find_descendants(pid, stats)


def _read_stats() -> dict[int, list[str]]:
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            text = _read(entry / "stat")
            if text:
                found[int(entry.name)] = text.rpartition(")")[2].split()
    return found


def _read_memory(pid: int) -> tuple[int, int]:
    """Resident and proportional size in KiB."""
    sizes = {}
    for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
        name, _, rest = line.partition(":")
        if name in {"Rss", "Pss"}:
            sizes[name] = int(rest.split()[0])
    return sizes.get("Rss", 0), sizes.get("Pss", 0)


def _read(path: Path) -> str:
    # A process may end between being listed and being read.
    try:
        return path.read_text()
    except OSError:
        return ""
