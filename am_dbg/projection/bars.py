"""The single rows around the panes as values: address, filters, footer, status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from am_dbg.projection.addresses import SCHEME, places_of
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.counts import Counts
from am_dbg.projection.layout import WIDE
from am_dbg.projection.steps import Moment
from am_dbg.projection.times import totals
from am_dbg.query import Filters
from am_dbg.store import Store, Track
from amtracer.wire.vocabulary import LEVEL_WORDS

TAGS_MAX = 50


class Playback(Enum):
    """How the cursor moves by itself: paused, playing or following."""

    PAUSED = "paused"
    PLAYING = "playing"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class AddressView:
    """Where the reader is, and how much there is in all; `place` is the address after the id."""

    scheme: str = SCHEME
    machine: str = ""
    place: str = ""
    tags: tuple[str, ...] = ()
    is_connected: bool = False
    can_go_back: bool = False
    can_go_forward: bool = False
    machines: int = 0
    transitions: int = 0
    playback: Playback = Playback.PAUSED


def project_address(
    store: Store,
    moment: Moment | None,
    playback: Playback,
    *,
    back: bool = False,
    forward: bool = False,
) -> AddressView:
    """The address bar."""
    base = AddressView(
        machines=len(store.tracks),
        transitions=store.transitions,
        playback=playback,
        can_go_back=back,
        can_go_forward=forward,
    )
    if moment is None:
        return base
    track, step = moment.track, moment.step if moment.is_stepping else 0
    return AddressView(
        machine=clean_name(track.key),
        place="".join(f"/{one}" for one in places_of(store, track, moment.number, step)),
        tags=all_tags(store, track),
        is_connected=track.connected,
        can_go_back=back,
        can_go_forward=forward,
        machines=base.machines,
        transitions=base.transitions,
        playback=playback,
    )


def all_tags(store: Store, track: Track) -> tuple[str, ...]:
    """The tags of a machine, then those of its parents."""
    tags: list[str] = []
    seen: set[str] = set()
    at: Track | None = track
    while at is not None and at.key not in seen and len(tags) < TAGS_MAX:
        seen.add(at.key)
        tags.extend(clean(tag) for tag in at.tags[:TAGS_MAX])
        at = store.parent_of(at)
    return tuple(dict.fromkeys(tags))[:TAGS_MAX]


@dataclass(frozen=True, slots=True)
class Switch:
    """One filter: `action` is what a click on it does, `value` is its setting."""

    name: str
    is_on: bool
    action: str
    value: str = ""


SWITCHES = ("canceled", "auto", "queued", "empty", "health", "checks", "times")
SEARCH_ROOM = 18
"""Cells that narrow rows keep free for what a search found."""
GROUP = "group"
"""The name of the switch of groups, which only machines with groups have."""
GROUP_NAME_MAX = 16
LEVEL = "level"
"""The name of the switch of the log level, the last one."""


@dataclass(frozen=True, slots=True)
class FilterBarView:
    """The filters on show and the hits of a search; keys act on the `selected` one."""

    switches: tuple[Switch, ...] = ()
    level: str = "changes"
    has_level: bool = True
    hidden: int = 0
    selected: str = ""
    search: str = ""
    hits: int = -1
    hit: int = 0
    where: str = ""
    is_typing: bool = False


def switch_names(width: int, groups: Sequence[str] = ()) -> tuple[str, ...]:
    """The switches for which a row of this width has room, each with its mark.

    Keys and clicks reach only these. `groups` are those of the machine on show.
    """
    is_wide = width >= WIDE
    level_size = len(f"{LEVEL} ") + max(map(len, LEVEL_WORDS))
    room = width - (len(" filters  ") if is_wide else 1 + SEARCH_ROOM) - level_size
    if room + SEARCH_ROOM < 0 or width <= 0:
        return ()
    shown = []
    value_size = 1 + min(GROUP_NAME_MAX, max(map(len, groups), default=0))
    for name in (*SWITCHES, GROUP) if groups else SWITCHES:
        room -= len(name) + len(" ✓") + (2 if is_wide else 1) + (name == GROUP) * value_size
        if room < 0:
            break
        shown.append(name)
    return (*shown, LEVEL)


def project_filters(
    filters: Filters,
    *,
    width: int = 160,
    seconds: bool = False,
    hidden: int = 0,
    selected: str = "",
    search: str = "",
    hits: int = -1,
    hit: int = 0,
    where: str = "",
    is_typing: bool = False,
    groups: Sequence[str] = (),
) -> FilterBarView:
    """The filter bar; `groups` are those of the machine on show."""
    shown = switch_names(width, groups)
    is_on = {name: bool(getattr(filters, name, seconds)) for name in (*SWITCHES, GROUP)}
    value = clean(filters.group)[:GROUP_NAME_MAX]
    return FilterBarView(
        switches=tuple(
            Switch(name, is_on[name], f"filter_{name}", value if name == GROUP else "")
            for name in (*SWITCHES, GROUP)
            if name in shown
        ),
        level=LEVEL_WORDS[min(filters.level, len(LEVEL_WORDS) - 1)],
        has_level=LEVEL in shown,
        hidden=hidden,
        selected=selected,
        search=clean(search),
        hits=hits,
        hit=hit,
        where=where,
        is_typing=is_typing,
    )


@dataclass(frozen=True, slots=True)
class TabsView:
    """The panes of a narrow screen: name and title of each, and a note on the open one."""

    tabs: tuple[tuple[str, str], ...] = ()
    open: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FooterView:
    """The last row: keys, or a message in their place; counts stand beside two keys.

    A hint has the sign of a key, a word, and the action.
    """

    message: str = ""
    hints: tuple[tuple[str, str, str], ...] = ()
    errors: str = ""
    canceled: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """Where data comes from and how much of it there is; only tall screens have the row."""

    listening: str = ""
    live: int = 0
    recorded: int = 0
    time_sum: int = 0
    source: str = ""
    progress: str = ""
    warning: str = ""


def project_status(
    counts: Counts, listening: str, source: str, progress: str, warning: str
) -> StatusView:
    """The status row."""
    return StatusView(
        listening=clean(listening),
        live=counts.live,
        recorded=counts.recorded,
        time_sum=counts.time_sum,
        source=clean(source),
        progress=clean(progress),
        warning=clean(warning),
    )


def exit_words(store: Store) -> str:
    """What was seen, in words for the shell after the screen is closed."""
    megabytes = store.size() / 1_000_000
    return f"{totals(len(store.tracks), store.transitions)}, {megabytes:,.1f} MB in memory"
