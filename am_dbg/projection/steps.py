"""The steps of a transition in words, and the current one.

The cursor counts the steps of the *next* transition, so that stepping past the last one
arrives there. The screen shows it the other way round: while some steps are shown, the
transition that they belong to is on show; with none, the transition under the cursor is
complete. `Moment` is that translation, and every pane starts from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from am_dbg.projection.clean import clean, clean_name
from am_dbg.query import Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Track
from amtracer.wire.messages import Shape, StateDef, StepDef
from amtracer.wire.vocabulary import RelationKind, StepFlag, StepKind, mutation_word
from amtracer.wire.vocabulary import handler_name as name_of_handler

_VERBS: dict[int, str] = {
    RelationKind.AFTER: "comes after",
    RelationKind.ADD: "adds",
    RelationKind.REQUIRE: "requires",
    RelationKind.REMOVE: "removes",
}

HOW_TO_SEND_STEPS = "a Go program sends them with AM_LOG_FULL=1"

CANCEL_MARK = "!"
_MARKS: dict[int, str] = {
    StepKind.SET: "+",
    StepKind.REMOVE: "-",
    StepKind.REMOVE_NOT_ACTIVE: "-",
    StepKind.HANDLER: "*",
    StepKind.CANCEL: CANCEL_MARK,
}
_NO = StepFlag.DENIED | StepFlag.FAILED


@dataclass(frozen=True, slots=True)
class Moment:
    """Which transition is on show and how far into it.

    A number below the first one held is before all transitions. `settled` is the
    transition whose clock holds now: the number itself when complete, the one before it
    while its steps are walked.
    """

    track: Track
    number: int
    settled: int
    step: int
    steps: int

    @property
    def is_stepping(self) -> bool:
        return self.number != self.settled

    @property
    def is_start(self) -> bool:
        """Before the first transition, where the initial schema is shown."""
        return self.number < self.track.first

    @property
    def shape(self) -> Shape | None:
        return None if self.is_start else self.track.shape_at(self.number)

    @property
    def time_ns(self) -> int:
        """The wall time of this moment."""
        return self.track.time_at(self.number)

    @property
    def done(self) -> tuple[StepDef, ...]:
        """The steps that already happened at this moment."""
        shape = self.shape
        return shape.steps[: self.step] if shape else ()


def moment_of(cursor: Cursor, visible: Visible) -> Moment:
    """The moment a cursor stands at."""
    track = cursor.track
    if cursor.step:
        number = visible.next(cursor.number)
        if number is not None:
            steps = len(track.shape_at(number).steps)
            return Moment(track, number, cursor.number, min(cursor.step, steps), steps)
    held = cursor.number >= track.first
    steps = len(track.shape_at(cursor.number).steps) if held else 0
    return Moment(track, cursor.number, cursor.number, steps, steps)


def has_steps(track: Track, shape: Shape) -> bool:
    """Whether its program sent the steps; a transition that called states has at least one.

    The tracers of this library always send them. They are recognized by the prefix of their
    transition ids, which other programs do not have.
    """
    return bool(shape.steps or track.identity.tx_prefix or not shape.called)


class StepLook(Enum):
    """The kinds of steps that look different."""

    REQUESTED = "requested"
    SET = "set"
    REMOVE = "remove"
    RELATION = "relation"
    HANDLER = "handler"
    CANCEL = "cancel"
    OTHER = "step"


_LOOKS: dict[int, StepLook] = {
    StepKind.RELATION: StepLook.RELATION,
    StepKind.HANDLER: StepLook.HANDLER,
    StepKind.SET: StepLook.SET,
    StepKind.REMOVE: StepLook.REMOVE,
    StepKind.REMOVE_NOT_ACTIVE: StepLook.REMOVE,
    StepKind.REQUESTED: StepLook.REQUESTED,
    StepKind.CANCEL: StepLook.CANCEL,
}


@dataclass(frozen=True, slots=True)
class StepText:
    """One step in words: what it is, of what, and how it ended when that is known."""

    look: StepLook
    subject: str
    outcome: str = ""


def type_name(type_: int) -> str:
    """The word for a mutation type."""
    return mutation_word(type_, "mutation")


def name_at(states: Sequence[StateDef], index: int) -> str:
    """The name of a state; empty for no state, a number for one the schema lacks."""
    if index < 0:
        return ""
    return clean_name(states[index].name) if index < len(states) else f"#{index}"


def handler_name(step: StepDef, states: Sequence[StateDef]) -> str:
    """The handler that a handler step called: state + phase."""
    return clean(name_of_handler(step, states))


def step_text(step: StepDef, states: Sequence[StateDef]) -> StepText:
    """A step in words."""
    look = _LOOKS.get(step.type, StepLook.OTHER)
    source, target = name_at(states, step.source), name_at(states, step.target)
    if look is StepLook.HANDLER:
        return StepText(look, handler_name(step, states), _outcome(step))
    if look is StepLook.RELATION:
        verb = _VERBS.get(step.relation, "relates to")
        return StepText(look, f"{source} {verb} {target}")
    subject = target or source
    outcome = "was not active" if step.type == StepKind.REMOVE_NOT_ACTIVE else ""
    return StepText(look, subject, outcome)


def _outcome(step: StepDef) -> str:
    if step.flags & StepFlag.FAILED:
        return "failed"
    if step.flags & StepFlag.DENIED:
        return "denied"
    return "ran" if step.flags & StepFlag.FINAL else "accepted"


def state_of(step: StepDef) -> int:
    """The state a step's mark belongs to; -1 for none, as for global handlers."""
    return step.target if step.target >= 0 else step.source


def marks_of(steps: Sequence[StepDef]) -> dict[int, str]:
    """Per state the marks that its steps left, in order, each run of one mark once."""
    marks: dict[int, str] = {}
    for step in steps:
        mark = CANCEL_MARK if step.flags & _NO else _MARKS.get(step.type)
        index = state_of(step)
        if mark and index >= 0 and not marks.get(index, "").endswith(mark):
            marks[index] = marks.get(index, "") + mark
    return marks


@dataclass(frozen=True, slots=True)
class StepsView:
    """The row of steps: `step` of `total` happened; `first` is the number of `texts[0]`.

    `is_sent` is False if the program sent none.
    """

    number: int = 0
    step: int = 0
    total: int = 0
    first: int = 1
    texts: tuple[StepText, ...] = ()
    current: StepText | None = None
    is_canceled: bool = False
    is_stepping: bool = False
    is_sent: bool = True


STEPS_AROUND = 12


def project_steps(moment: Moment) -> StepsView:
    """The current step and its neighbours; bounded, a transition may have thousands."""
    shape = moment.shape
    if shape is None or not shape.steps:
        return StepsView(
            number=moment.number, is_sent=shape is None or has_steps(moment.track, shape)
        )
    states = moment.track.schema_at(moment.number)
    first = max(0, moment.step - 1 - STEPS_AROUND)
    near = shape.steps[first : moment.step + STEPS_AROUND]
    return StepsView(
        number=moment.number,
        step=moment.step,
        total=moment.steps,
        first=first + 1,
        texts=tuple(step_text(step, states) for step in near),
        current=_current(moment, shape, states) if moment.step else None,
        is_canceled=moment.track.facts_at(moment.number).is_canceled,
        is_stepping=moment.is_stepping,
    )


def _current(moment: Moment, shape: Shape, states: Sequence[StateDef]) -> StepText:
    """The newest step shown, and where it raised if it did."""
    at = moment.step - 1
    text = step_text(shape.steps[at], states)
    place = moment.track.raised_at(moment.number, at)
    return replace(text, outcome=f"{text.outcome}, raised at {clean(place)}") if place else text
