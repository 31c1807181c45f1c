"""The single rows around the panes as values: address, tabs, footer, status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from am_dbg.keys import Hint
from am_dbg.projection.addresses.write import SCHEME, places_of
from am_dbg.projection.clean import clean, clean_name
from am_dbg.projection.counts import Counts
from am_dbg.projection.steps import Moment
from am_dbg.store import Store, Track

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
    speed: str = ""


def project_address(
    store: Store,
    moment: Moment | None,
    playback: Playback,
    *,
    back: bool = False,
    forward: bool = False,
    speed: str = "",
) -> AddressView:
    """The address bar; `speed` is shown while it plays."""
    view = AddressView(
        machines=len(store.tracks),
        transitions=store.transitions,
        playback=playback,
        speed=speed if playback is Playback.PLAYING else "",
        can_go_back=back,
        can_go_forward=forward,
    )
    if moment is None:
        return view
    track, step = moment.track, moment.step if moment.is_stepping else 0
    return replace(
        view,
        machine=clean_name(track.key),
        place="".join(f"/{one}" for one in places_of(store, track, moment.number, step)),
        tags=all_tags(store, track),
        is_connected=track.connected,
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
class TabsView:
    """The panes of a narrow screen: name and title of each, and a note on the open one."""

    tabs: tuple[tuple[str, str], ...] = ()
    open: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedNotice:
    """The notice that a program came back; empty without one.

    A hint has the sign of a key, a word, and the action.
    """

    text: str = ""
    hints: tuple[tuple[str, str, str], ...] = ()


NO_NOTICE = ReturnedNotice()


@dataclass(frozen=True, slots=True)
class FooterView:
    """The last row: keys, or a message in their place; counts and the scope stand beside keys.

    A hint has the sign of a key, a word, and the action. `ends` are always shown, at the right.
    The notice of a program that came back stands before the keys, unless the status row has it.
    """

    message: str = ""
    hints: tuple[Hint, ...] = ()
    ends: tuple[Hint, ...] = ()
    errors: str = ""
    canceled: str = ""
    returned: ReturnedNotice = NO_NOTICE
    scope: str = ""


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
    about: str = ""
    returned: ReturnedNotice = NO_NOTICE
    scope: str = ""


def project_status(
    counts: Counts,
    listening: str,
    source: str,
    progress: str,
    warning: str,
    about: str = "",
    returned: ReturnedNotice = NO_NOTICE,
    scope: str = "",
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
        about=about,
        returned=returned,
        scope=scope,
    )
