"""What `am-dbg show --view` prints of a place: the contents of a pane."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import click

from am_dbg.cli.output import json_lines

if TYPE_CHECKING:
    from am_dbg.projection.addresses.places import Location
    from am_dbg.projection.reader import ReaderView
    from am_dbg.store import Store, Track

READER_WIDTH = 100
SHOWN_VIEWS = ("log", "tx", "states", "steps", "reader", "rain")

Printed = Callable[["Store", "Track", int, bool], Iterable[str]]
"""The lines of a view at a transition of a machine, as text or as JSON."""


def view_lines(store: Store, place: Location, view: str, as_json: bool) -> Iterable[str]:
    """The lines of a view; without a number in the address, of the whole machine.

    States, steps and the reader show one moment, which is the newest one then.
    """
    track = place.track
    if view == "log":
        return _log(store, track, place.number, as_json)
    if view == "rain":
        return _rain(track, place.number, as_json)
    number = track.count if place.number is None else place.number
    return _MOMENTS[view](store, track, number, as_json)


def _log(store: Store, track: Track, number: int | None, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    if as_json and number is None:
        return reports.history_json(store, track)
    if as_json and number is not None:
        return _transition(store, track, number, as_json)
    return reports.log_lines(store, track, number)


def _rain(track: Track, number: int | None, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    if number is not None:
        raise click.UsageError("--view rain shows a whole machine: give mach://ID")
    return reports.rain_json(track) if as_json else reports.rain_lines(track)


def _transition(_: Store, track: Track, number: int, as_json: bool) -> Iterable[str]:
    """A number before the first one shows the start."""
    from am_dbg import reports

    if number < track.first:
        return json_lines(reports.start_value(track)) if as_json else reports.start_lines(track)
    if as_json:
        return json_lines(reports.transition_value(track, number))
    return reports.transition_lines(track, number)


def _states(_: Store, track: Track, number: int, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    if as_json:
        return json_lines(reports.states_value(track, number))
    return reports.states_lines(track, number)


def _steps(_: Store, track: Track, number: int, as_json: bool) -> Iterable[str]:
    from am_dbg import reports

    if as_json:
        return json_lines(reports.steps_value(track, number))
    return reports.steps_lines(track, number)


def _reader(store: Store, track: Track, number: int, as_json: bool) -> Iterable[str]:
    from am_dbg.drawing.reader import draw_reader
    from am_dbg.projection.reader import project_reader
    from am_dbg.projection.steps import moment_of
    from am_dbg.query import ALL, Visible
    from am_dbg.query.cursor import Cursor

    moment = moment_of(Cursor(track).at(number), Visible(track, ALL))
    view = project_reader(store, moment)
    if as_json:
        return json_lines({"machine": track.key, "number": number, **_reader_value(view)})
    return [row.text.strip() and row.text.rstrip() for row in draw_reader(view, READER_WIDTH)]


def _reader_value(view: ReaderView) -> dict[str, Any]:
    """The sections of the reader; the paragraph on the cause is one text."""
    value: dict[str, Any] = _plain(view)
    value.pop("top")
    return {**value, "why": "".join(span.text for span in view.why).strip()}


def _plain(value: object) -> Any:
    """A projection as values that JSON has."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, frozenset)):
        return [_plain(one) for one in value]
    return value


_MOMENTS: dict[str, Printed] = {
    "tx": _transition,
    "states": _states,
    "steps": _steps,
    "reader": _reader,
}
