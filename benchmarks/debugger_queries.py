"""What a reader asks of a session file, measured on the store, without a screen.

The store is the one that the screen has; each figure is taken in the state that its name says. A
cold look is one whose columns are not in memory: the cache of loaded columns is emptied before.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter

from am_dbg.control import Control
from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.query.across_queries import AcrossQueries
from am_dbg.query.filters import ALL, Filters
from am_dbg.query.find import Hits, changing
from am_dbg.query.visible import Visible
from am_dbg.store import Store, Track
from amtracer.errors import SessionError
from benchmarks.debugger_screen import HEIGHT, WIDTH
from benchmarks.debugger_sessions import ABSENT_TEXT, FREQUENT_TEXT, RARE_TEXT, STATE

Figures = dict[str, float]
LOOKS = 300
STEPS = 1_000
KEYS = 100
_LEVEL = 3


def measure(path: Path, exported: Path) -> Figures:
    """All figures of one session file; the whole session is exported to `exported`."""
    store = Store()
    gc.collect()
    figures = {"store_open_s": _seconds(lambda: _import(store, path))}
    figures["resident_bytes_per_transition"] = store.size() / store.transitions
    track, random = store.tracks[0], Random(2)
    places = [random.randint(1, track.count) for _ in range(LOOKS)]
    figures |= _looks(store, track, places) | _filters(track) | _searches(track)
    figures |= _nexts(track, places) | _across(store) | _keys(store)
    figures["export_s"] = _seconds(lambda: export_session(store, exported))
    return figures


def _import(store: Store, path: Path) -> None:
    with suppress(SessionError):
        import_session(store, str(path))


def _looks(store: Store, track: Track, places: Sequence[int]) -> Figures:
    """Look at whole transitions anywhere, and at one after another."""

    def look(number: int) -> None:
        track.transition(number)
        track.clock_at(number)

    cold = []
    for number in places:
        store.loaded.clear()
        cold.append(_seconds(partial(look, number)))
    first = max(1, track.count // 3)
    steps = range(first, min(first + STEPS, track.count) + 1)
    near = [_seconds(partial(look, number)) for number in steps]
    return _percentiles("transition_ms", cold) | _percentiles("near_ms", near)


def _filters(track: Track) -> Figures:
    """Count what passes the first filter of a session, and then another one."""
    first = _ms(lambda: Visible(track, Filters(canceled=False)).count)
    return {"filter_ms": first, "filter_again_ms": _ms(lambda: Visible(track, _NO_AUTO).count)}


_NO_AUTO = Filters(auto=False, empty=True)


def _searches(track: Track) -> Figures:
    """Count texts that are nowhere, in few and in many transitions, and go to the next hit."""
    visible = Visible(track, Filters(empty=True, health=True, level=_LEVEL))
    figures: Figures = {}
    for name, text in _TEXTS:
        hits = Hits(visible, text)
        figures[name] = _ms(partial(getattr, hits, "count"))
    figures["frequent_next_ms"] = _ms(lambda: hits.next(track.count // 2))
    return figures


_TEXTS = (
    ("search_ms", ABSENT_TEXT),
    ("search_rare_ms", RARE_TEXT),
    ("search_frequent_ms", FREQUENT_TEXT),
)


def _nexts(track: Track, places: Sequence[int]) -> Figures:
    """Go to the next transition that changes a state, from anywhere."""
    numbers = changing(Visible(track, ALL), STATE if STATE in track.states else track.states[0])
    seconds = [_seconds(partial(numbers.next, number)) for number in places]
    return _percentiles("next_ms", seconds)


def _across(store: Store) -> Figures:
    """Find the first error of all machines, and then the next one."""
    errors = AcrossQueries(store).errors(ALL)
    begin = perf_counter()
    place = errors.first()
    figures = {"error_ms": (perf_counter() - begin) * 1e3}
    if place is not None:
        figures["error_again_ms"] = _ms(lambda: errors.next(place))
    return figures


def _keys(store: Store) -> Figures:
    """Keys of the control, each with the screen that it makes; `select` selects a machine."""
    control = Control(store)
    control.data_arrived()
    control.project(WIDTH, HEIGHT)

    def press(action: str) -> None:
        control.press(action)
        control.project(WIDTH, HEIGHT)

    figures: Figures = {}
    for name, action in _ACTIONS:
        figures |= _percentiles(name, [_seconds(partial(press, action)) for _ in range(KEYS)])
    return figures


_ACTIONS = (
    ("step_view_ms", "previous_transition"),
    ("jump_view_ms", "previous_same_state"),
    ("select_view_ms", "down"),
)


def _percentiles(name: str, seconds: Sequence[float]) -> Figures:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {f"{name}_p50": ordered[len(ordered) // 2] * 1e3, f"{name}_p99": p99 * 1e3}


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def _ms(work: Callable[[], object]) -> float:
    return _seconds(work) * 1e3
