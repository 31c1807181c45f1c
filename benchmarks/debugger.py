"""The debugger with long sessions: bytes of the file, times of the reader, memory.

Each session is made by `benchmarks.debugger_sessions`, opened in a debugger of its own on a
pseudo-terminal (`benchmarks.debugger_screen`) and queried on a store
(`benchmarks.debugger_queries`). The figures of the original are those of its documents, which were
measured on other sessions: its import, a key and a filter at 100,000 transitions.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks import debugger_queries as queries
from benchmarks.debugger_screen import (
    DOWN,
    JUMP_BACK,
    JUMP_ON,
    LEFT,
    RIGHT,
    UP,
    Screen,
    compile_packages,
)
from benchmarks.debugger_sessions import Program, frames, planned, taken_in, write_session

Figures = dict[str, float]
KEYS = 20

ORIGINAL = {
    "open_s": "2.2 (100k), 7.8 (300k)",
    "rss_mb": "269 (100k), 728 (300k)",
    "resident_bytes_per_transition": "2,300",
    "step_ms_p50": "2,240 (100k)",
    "select_ms_p50": "9,000 (100k)",
    "filter_ms": "8,800 (100k)",
    "ingest_per_s": "11,200",
}
"""What the documents of the original say of it, with the transitions of their session."""

LABELS = {
    "transitions": "transitions",
    "machines": "machines",
    "file_bytes": "file, bytes",
    "bytes_per_transition": "file, bytes per transition",
    "make_s": "making the session, s",
    "ingest_us": "live, one transition taken in, µs",
    "ingest_per_s": "live, transitions per second",
    "open_s": "process start to settled screen, s",
    "open_cpu_s": "the same, CPU s",
    "rss_mb": "memory of that process, MB",
    "first_key_ms": "first key after the start, ms",
    "step_ms_p50": "step key to screen, p50, ms",
    "step_ms_max": "step key to screen, longest, ms",
    "jump_ms_p50": "jump key to screen, p50, ms",
    "jump_ms_max": "jump key to screen, longest, ms",
    "select_ms_p50": "key for another machine to screen, p50, ms",
    "select_ms_max": "the same, longest, ms",
    "rss_used_mb": "memory after these keys, MB",
    "store_open_s": "store alone, open, s",
    "resident_bytes_per_transition": "store before anything is looked at, bytes per transition",
    "transition_ms_p50": "a transition anywhere, nothing loaded, p50, ms",
    "transition_ms_p99": "the same, p99, ms",
    "near_ms_p50": "the next transition, p50, ms",
    "near_ms_p99": "the same, p99, ms",
    "filter_ms": "first filter, ms",
    "filter_again_ms": "another filter, ms",
    "search_ms": "search for a text that is nowhere, ms",
    "search_rare_ms": "for a rare one, ms",
    "search_frequent_ms": "for a frequent one, ms",
    "frequent_next_ms": "next hit of the frequent one, ms",
    "next_ms_p50": "next by state, p50, ms",
    "next_ms_p99": "the same, p99, ms",
    "error_ms": "first error of all machines, ms",
    "error_again_ms": "next error of all machines, ms",
    "step_view_ms_p50": "step without terminal, p50, ms",
    "step_view_ms_p99": "the same, p99, ms",
    "jump_view_ms_p50": "jump without terminal, p50, ms",
    "jump_view_ms_p99": "the same, p99, ms",
    "select_view_ms_p50": "another machine without terminal, p50, ms",
    "select_view_ms_p99": "the same, p99, ms",
    "export_s": "export of everything, s",
}
"""The rows of the table, by the keys of the JSON."""


def measure(program: Program, transitions: int, machines: int, folder: Path) -> Figures:
    """All figures of one session, which stays in the folder."""
    path = folder / f"{program.value}-{transitions}-{machines}.msgpack.br"
    figures = _made(program, transitions, machines, path)
    if sys.platform != "win32":
        figures |= _on_screen(path, machines, f"{int(figures['transitions']) // machines:,}")
    exported = folder / "exported.msgpack.br"
    figures |= queries.measure(path, exported)
    exported.unlink()
    return figures


def _made(program: Program, transitions: int, machines: int, path: Path) -> Figures:
    """Make the session; the part that is made once is taken in as if it came live."""
    begin = perf_counter()
    plan = planned(program, transitions, machines)
    data = frames(plan)
    taken_at = perf_counter()
    store = taken_in(data)
    ingest_s = perf_counter() - taken_at
    write_session(store, plan, path)
    size = path.stat().st_size
    return {
        "transitions": plan.transitions,
        "machines": machines,
        "file_bytes": size,
        "bytes_per_transition": size / plan.transitions,
        "make_s": perf_counter() - begin,
        "ingest_us": ingest_s / plan.rows * 1e6,
        "ingest_per_s": plan.rows / ingest_s,
    }


def _on_screen(path: Path, machines: int, count: str) -> Figures:
    """Open the session in a debugger of its own, and press keys.

    The session is there when the screen shows how many transitions a machine has.
    """
    compile_packages()
    with Screen("--listen-on", "-1", "-i", str(path), shown=count) as screen:
        figures = {
            "open_s": screen.open_s,
            "open_cpu_s": screen.cpu_s(),
            "rss_mb": screen.rss_mb(),
            "first_key_ms": screen.press(LEFT) * 1e3,
        }
        screen.settle()
        keys = {"step": (LEFT, RIGHT), "jump": (JUMP_BACK, JUMP_ON)}
        if machines > 1:
            keys["select"] = (DOWN, DOWN) if machines > KEYS else (DOWN, UP)
        for name, pair in keys.items():
            if name == "select":
                screen.go_to_machines()
            ms = [seconds * 1e3 for seconds in screen.presses(pair * (KEYS // 2))]
            figures[f"{name}_ms_p50"] = statistics.median(ms)
            figures[f"{name}_ms_max"] = max(ms)
        figures["rss_used_mb"] = screen.rss_mb()
    return figures


def rows(figures: Figures, shown: Callable[[float], str]) -> list[list[str]]:
    """The rows of the table: what, the figure, that of the original."""
    known = [key for key in LABELS if key in figures]
    return [[LABELS[key], shown(figures[key]), ORIGINAL.get(key, "")] for key in known]
