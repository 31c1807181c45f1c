"""Converts the steps of a Go transition into our steps.

A side of a step is a state by name or by index, depending on the age of the program; in
the layout with names the indexes are zero, which also is the first state. So names count
for a whole transition as soon as one of its steps has one. Older programs also put the
state of a handler on either side; this module moves it to the side where our own steps have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from am_dbg.ingest.golang.gob_types import Boxed
from am_dbg.ingest.golang.primitives import GobError
from am_dbg.ingest.golang.records import Record, Records, record_of
from amtracer.wire import limits
from amtracer.wire.messages import StateDef, StepDef
from amtracer.wire.vocabulary import RelationKind, StepFlag, StepKind, handler_name

Steps = tuple[StepDef, ...]

_FAILURES = {"timeout", "recover"}
_NO_STATE = -1
_RELATION_MAX = max(RelationKind)


def steps_of(records: Records, states: Mapping[str, int]) -> Steps:
    """The steps; `states` gives the index of each state name."""
    structs = [record_of(record) for record in records[: limits.STEPS_MAX]]
    named = any(struct.get("FromState") or struct.get("ToState") for struct in structs)
    return tuple(_step(struct, states, named) for struct in structs)


def _step(record: Record, states: Mapping[str, int], named: bool) -> StepDef:
    kind = _small(record, "Type")
    source = _side(record, "From", states, named)
    target = _side(record, "To", states, named)
    if kind == StepKind.HANDLER:
        return _handler(record, source, target)
    relation = _relation(record) if kind == StepKind.RELATION else -1
    return StepDef(kind, relation, 0, source, target)


def _handler(record: Record, source: int, target: int) -> StepDef:
    """`FooEnter` has Foo as target; `FooExit`, `FooFoo`, `FooState`, `FooEnd` have it as source."""
    final, self_ = bool(record.get("IsFinal")), bool(record.get("IsSelf"))
    enter = final and bool(record.get("IsEnter"))
    if (final or self_) and source == _NO_STATE:
        source, target = target, _NO_STATE
    flags = StepFlag.FINAL * final | StepFlag.SELF * self_ | StepFlag.ENTER * enter
    return StepDef(StepKind.HANDLER, -1, flags, source, target)


def _side(record: Record, side: str, states: Mapping[str, int], named: bool) -> int:
    """The index of a name; -1 for an unknown one, such as that of global handlers."""
    if named:
        name = record.get(f"{side}State")
        return states.get(name, _NO_STATE) if type(name) is str else _NO_STATE
    index = record.get(f"{side}StateIdx", 0)
    if type(index) is not int or not _NO_STATE <= index < len(states):
        raise GobError(f"a step with the state {index!r} of {len(states)}")
    return index


def _relation(record: Record) -> int:
    """A field of its own, in older programs boxed; both leave out the kind "after"."""
    boxed = record.get("Data")
    relation = boxed.value if isinstance(boxed, Boxed) else record.get("RelType", 0)
    if type(relation) is not int or not 0 <= relation <= _RELATION_MAX:
        raise GobError(f"a step with the relation {relation!r}")
    return relation


def _small(record: Record, name: str) -> int:
    value = record.get(name, 0)
    if type(value) is not int or not 0 <= value <= limits.SMALL_MAX:
        raise GobError(f"a step whose {name} is {value!r}")
    return value


def marked(
    steps: Steps, states: Sequence[StateDef], canceled_by: frozenset[str], canceled: bool
) -> Steps:
    """The steps, with those marked that ended a negotiation or refused a state.

    A log line may say which handler it was, or that one failed. Without such a line it was
    the last that was called, as the first that refuses is the last; that is not so for auto
    mutations, which continue without the refused states, so `canceled` is False for them.
    """
    handlers = [at for at, step in enumerate(steps) if step.type == StepKind.HANDLER]
    denied = [at for at in handlers if handler_name(steps[at], states) in canceled_by]
    if not handlers or denied or not (canceled or canceled_by):
        return _flagged(steps, denied, StepFlag.DENIED)
    last = handlers[-1]
    failed = canceled_by & _FAILURES or steps[last].flags & StepFlag.FINAL
    return _flagged(steps, [last], StepFlag.FAILED if failed else StepFlag.DENIED)


def _flagged(steps: Steps, places: Sequence[int], flag: StepFlag) -> Steps:
    flagged = list(steps)
    for at in places:
        step = steps[at]
        flags = step.flags | flag
        flagged[at] = StepDef(step.type, step.relation, flags, step.source, step.target)
    return tuple(flagged)
