"""Which run came back after which: the runs of one program stand in a line, one after another.

A run continues the line of a run that had ended when it began. Runs that go on at once are
programs side by side, so each is in a line of its own. If several lines have ended, the one that
ended last is continued.

Connections show the order of runs that a debugger listened to. In files, and where another
debugger recorded or forwarded the runs, the times of their transitions do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from am_dbg.store import Track

_NEVER = 2**63


@dataclass(slots=True)
class RunRoots:
    """The roots of a run in order of arrival."""

    roots: list[Track] = field(default_factory=list)

    @property
    def arrival(self) -> int:
        return self.roots[0].arrival

    @property
    def is_listened_to(self) -> bool:
        """Whether this debugger saw its connections begin and end."""
        return all(one.is_live and _is_direct(one) for one in self.roots)

    @property
    def left_at(self) -> int:
        return max(one.left_at for one in self.roots)

    @property
    def entered_at(self) -> int:
        return min(one.entered_at for one in self.roots)

    @property
    def end_ns(self) -> int:
        """The last transition; it is not known while a root is connected."""
        if any(one.connected for one in self.roots):
            return _NEVER
        return max(one.time_at(one.count) for one in self.roots)

    @property
    def start_ns(self) -> int:
        """When the process began to send; if another debugger sent it, the first transition."""
        return min(
            one.time_at(0 if _is_direct(one) or one.first > one.count else one.first)
            for one in self.roots
        )

    def had_ended(self, later: RunRoots) -> bool:
        """Whether it had ended when another run began."""
        if self.is_listened_to and later.is_listened_to:
            return self.left_at < later.entered_at
        return self.end_ns <= later.start_ns


def _is_direct(track: Track) -> bool:
    """Whether the process itself sent the stream."""
    return track.identity.process == track.identity.session


def lines_of(runs: Sequence[RunRoots]) -> list[list[RunRoots]]:
    """The lines in which some runs of one program stand, in order of arrival."""
    lines: list[list[RunRoots]] = []
    for run in sorted(runs, key=lambda run: run.arrival):
        ended = [line for line in lines if line[-1].had_ended(run)]
        if ended:
            max(ended, key=lambda line: line[-1].end_ns).append(run)
        else:
            lines.append([run])
    return lines
