"""The reasons for which a state is not active, as rows of a small tree.

Each row is one reason. The reasons of a missing requirement stand one level deeper, below it. A
row leads somewhere: to the transition that it names, or to the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from am_dbg.projection.clean import clean_name
from am_dbg.projection.reasons.outcome import Drop
from am_dbg.projection.reasons.why_not import (
    Blocker,
    Refusal,
    Requirement,
    Since,
    WhyNotView,
    why_not,
)
from am_dbg.projection.times import count
from am_dbg.spans import Role, Span
from am_dbg.store import Track

ACTIVE, INACTIVE = Span("●", Role.ADDED), Span("○", Role.QUIET)


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason; `number` is its transition, 0 for none, and `state` is another state in it.

    `branch` draws its place in the tree: `├ `, `└ `, and lines from the rows above.
    """

    spans: tuple[Span, ...]
    depth: int = 0
    number: int = 0
    state: str = ""
    branch: str = ""

    @property
    def text(self) -> str:
        """The row as plain text."""
        return self.branch + "".join(span.text for span in self.spans)


def reason_rows(
    track: Track, number: int, name: str, *, is_last: bool = True
) -> tuple[ReasonRow, ...]:
    """The reasons for which a state is not active after a transition; empty if it is active.

    If they are not the last rows, the lines of the tree go on below them.
    """
    answer = why_not(track, number, name)
    return tuple(_branched(list(_rows(answer, 0)), is_last=is_last)) if answer else ()


def _branched(rows: list[ReasonRow], *, is_last: bool) -> Iterator[ReasonRow]:
    """The rows with the lines of the tree in front of them."""
    open_below = {} if is_last else {0: True}
    drawn = []
    for row in reversed(rows):
        has_next = open_below.get(row.depth, False)
        stems = "".join("│ " if open_below.get(depth) else "  " for depth in range(row.depth))
        drawn.append(replace(row, branch=stems + ("├ " if has_next else "└ ")))
        open_below = {depth: is_open for depth, is_open in open_below.items() if depth < row.depth}
        open_below[row.depth] = True
    return reversed(drawn)


def headline(answer: WhyNotView) -> tuple[Span, ...]:
    """The state with what is known of it at a glance: `○ Plan  auto, blocked`."""
    return (INACTIVE, Span(f" {clean_name(answer.name)} {count(answer.tick)}"), *_kind(answer))


def kind_text(answer: WhyNotView) -> str:
    """Whether an auto state is blocked or held back; empty for any other state."""
    if not answer.is_auto:
        return ""
    if answer.held_since:
        return "auto, held back"
    return "auto, blocked" if answer.is_blocked else "auto, not blocked"


def _kind(answer: WhyNotView) -> Iterable[Span]:
    if text := kind_text(answer):
        yield Span(f"  {text}", Role.FLAG)


def _rows(answer: WhyNotView, depth: int) -> Iterator[ReasonRow]:
    if depth == 0:
        yield _row(depth, _own(answer.since), answer.since)
    if answer.held_since:
        yield _held_back(answer, depth)
    for one in answer.requirements:
        yield from _requirement(one, depth)
    yield from _blockers(answer, depth, gives_way=False)
    if depth == 0:
        yield from _free(answer)
        yield from _blockers(answer, depth, gives_way=True)
    yield from _called(answer, depth)
    if answer.adders and depth == 0:
        yield _row(depth, _adders(answer))
    if answer.more:
        yield _row(depth, (Span(f"{count(answer.more)} more of these", Role.QUIET),))


def _held_back(answer: WhyNotView, depth: int) -> ReasonRow:
    text = f" since the failure in tx {count(answer.held_since)}, until something else changes"
    spans = Span("held back", Role.CANCELED), Span(text)
    return ReasonRow(spans, depth, answer.held_since)


def _free(answer: WhyNotView) -> Iterator[ReasonRow]:
    """A row that excludes the reasons which are none."""
    if not answer.is_blocked:
        yield _row(0, (Span("requirements met, kept out by nothing"),))
    elif not answer.is_kept_out:
        yield _row(0, (Span("kept out by nothing active"),))


def _adders(answer: WhyNotView) -> Iterable[Span]:
    yield Span("comes along with")
    for adder in answer.adders:
        yield Span(" ")
        yield ACTIVE if adder.is_active else INACTIVE
        yield Span(f" {clean_name(adder.name)}")


def _row(
    depth: int, spans: Iterable[Span], since: Since | None = None, state: str = ""
) -> ReasonRow:
    return ReasonRow(tuple(spans), depth, since.number if since else 0, state)


def _own(since: Since | None) -> Iterable[Span]:
    """The first row: since when the state itself is not active."""
    if since is not None:
        yield INACTIVE
        yield Span(" ")
    yield from _inactive(since)


def _inactive(since: Since | None) -> Iterable[Span]:
    if since is None:
        yield Span("never active")
    else:
        yield Span(since_text(since))


def since_text(since: Since) -> str:
    """Since when and why a state is what it is."""
    if not since.number:
        return "since before the first transition"
    if since.cause is None:
        return f"since a gap after tx {count(since.number)}"
    by = f", by {clean_name(since.requested_by)}" if since.requested_by else ""
    return f"since tx {count(since.number)} ({since.cause.words}{by})"


def _requirement(one: Requirement, depth: int) -> Iterator[ReasonRow]:
    answer = one.why_not
    dot = ACTIVE if one.is_active else INACTIVE
    spans = [Span("requires ", Role.HANDLER), dot, Span(f" {clean_name(one.name)}")]
    if one.is_removed:
        spans.append(Span(", which it removes", Role.ERROR))
    elif not one.is_defined:
        spans.append(Span(", which the schema does not define", Role.ERROR))
    elif one.is_brought:
        spans.append(Span(", which it adds itself"))
    elif one.dropped and (one.is_active or not answer):
        spans.append(Span(f", {_dropped(one.dropped)}"))
    elif answer:
        spans += [*_kind(answer), Span("  "), *_inactive(answer.since)]
    yield _row(depth, spans, answer.since if answer else None, one.name * one.is_defined)
    if answer:
        yield from _rows(answer, depth + 1)


def _dropped(drop: Drop) -> str:
    """Why a required state would not stay."""
    if drop.removers:
        return f"which {' and '.join(map(clean_name, drop.removers))} would remove"
    return f"which would lack {' and '.join(map(clean_name, drop.missing))}"


def _blockers(answer: WhyNotView, depth: int, *, gives_way: bool) -> Iterator[ReasonRow]:
    for blocker in answer.blockers:
        if blocker.gives_way is gives_way:
            yield _row(depth, _blocker(answer, blocker), blocker.since, blocker.name)


def _blocker(answer: WhyNotView, blocker: Blocker) -> Iterable[Span]:
    if blocker.gives_way:
        yield Span("a call replaces ")
    else:
        yield Span("kept out by ", Role.REMOVED)
    yield INACTIVE if blocker.is_added else ACTIVE
    yield Span(f" {clean_name(blocker.name)}", bold=True)
    if blocker.is_added and blocker.added_by != answer.name:
        by = f"{clean_name(blocker.added_by)} adds" if blocker.added_by else "activates as well"
        yield Span(f", which {by}")
    elif blocker.is_added:
        yield Span(", which it adds")
    if blocker.since:
        yield Span(f"  {since_text(blocker.since)}")


def _called(answer: WhyNotView, depth: int) -> Iterator[ReasonRow]:
    """What happened to the last call of the state."""
    refusal = answer.refusal
    if refusal is not None:
        if refusal.denial.handler or not (answer.is_auto and answer.is_blocked):
            yield ReasonRow(tuple(_refused(refusal)), depth, refusal.number)
    elif answer.is_auto:
        return
    elif answer.last_call:
        text = f"last call: tx {count(answer.last_call)}"
        yield ReasonRow((Span(text),), depth, answer.last_call)
    elif depth == 0 or not answer.is_blocked:
        yield ReasonRow((Span("never called"),), depth)


def _refused(refusal: Refusal) -> Iterable[Span]:
    times = "refused" if refusal.count == 1 else f"refused {count(refusal.count)} times, last"
    yield Span(times, Role.CANCELED)
    yield Span(f" in tx {count(refusal.number)}: ")
    yield Span(refusal.denial.note, Role.HANDLER if refusal.denial.handler else Role.PLAIN)
