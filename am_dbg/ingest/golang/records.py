"""Checked records of what a Go program sends about a machine, read from gob values.

No other module behind this one sees a gob value. The layouts differ by age: states by name
or by index, relation kinds as a field or boxed, parents, tags, groups, arguments, queued
mutations and their numbers only in newer ones. All are read by field name, and what is
missing has Go's zero value. A field of another type than expected is a `GobError`, as a
stream may define anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from am_dbg.ingest.golang.primitives import GobError
from amtracer.wire import limits
from amtracer.wire.messages import StateDef
from amtracer.wire.vocabulary import MutationKind

Record = Mapping[str, object]
Records = tuple[object, ...]
"""Structs that are not checked yet."""
GoLines = tuple[tuple[int, str], ...]

"""Add, remove, set, eval."""
NUMBER_MAX = 2**62
"""Ticks, and nanoseconds from 1970; what is computed from two of them fits 64 bits."""

_MUTATION_MAX = max(MutationKind)
_LOGGER = "semlogger"
"""Ends the id of a message that is made up by the program's logger."""
_SECONDS_TO_UNIX_EPOCH = 62_135_596_800
"""Go counts seconds from the year 1."""
_NS = 1_000_000_000
_TIME_BYTES = 15

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class GoSchema:
    """A machine enters, or sends its changed schema."""

    machine: str
    states: tuple[StateDef, ...]
    parent: str
    tags: tuple[str, ...]


class GoTransition(NamedTuple):
    """A transition, or a mutation that was only queued or checked.

    `called` are names or indexes. `clocks` are the ticks after it, perhaps fewer or more
    than the schema has states. `time_ns` is when a server received it, None if it has not.

    `queue_tick` is the number of the mutation that was taken from the queue last. A
    mutation that is put at the end of the queue has a number of its own, `mutation_tick`;
    one that is put before the others has a `token`, which its transition has too.
    Zero is not known.
    """

    machine: str
    id: str
    type: int
    called: tuple[str, ...] | tuple[int, ...]
    clocks: tuple[int, ...]
    accepted: bool
    auto: bool
    check: bool
    queued: bool
    steps: Records
    entries: Records
    pre_entries: Records
    queue_len: int
    args: tuple[tuple[str, str], ...]
    stack: str
    time_ns: int | None
    queue_tick: int
    mutation_tick: int
    token: int

    @property
    def is_made_up(self) -> bool:
        """Whether it only carries lines that the machine logged before it was traced."""
        asks_nothing = self.check and not (self.called or self.queued or self.queue_tick)
        return asks_nothing or self.id.endswith(_LOGGER)


def record_of(value: object) -> Record:
    """A struct."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    raise GobError("no struct where one belongs")


def schema_of(value: object) -> GoSchema:
    """The message that introduces a machine."""
    record = record_of(value)
    names = _texts(record, "StatesIndex")
    if len(names) > limits.STATES_MAX:
        raise GobError(f"{len(names):,} states; the limit is {limits.STATES_MAX:,}")
    if len(set(names)) != len(names):
        raise GobError("two states have one name")
    states = _field(record, "States", dict, {})
    groups = _groups(record, len(names))
    return GoSchema(
        _field(record, "ID", str, ""),
        tuple(
            _state(name, record_of(states.get(name, {})), groups.get(at, ()))
            for at, name in enumerate(names)
        ),
        _field(record, "Parent", str, ""),
        _texts(record, "Tags"),
    )


def transition_of(value: object) -> GoTransition:
    """The message about one transition."""
    record = record_of(value)
    args = _field(record, "Args", dict, {})
    return GoTransition(
        _field(record, "MachineID", str, ""),
        _field(record, "ID", str, ""),
        _number(record, "Type", _MUTATION_MAX),
        _texts(record, "CalledStates") or _numbers(record, "CalledStatesIdxs"),
        _numbers(record, "Clocks"),
        _field(record, "Accepted", bool, False),
        _field(record, "IsAuto", bool, False),
        _field(record, "IsCheck", bool, False),
        _field(record, "IsQueued", bool, False),
        _field(record, "Steps", tuple, ()),
        _field(record, "LogEntries", tuple, ()),
        _field(record, "PreLogEntries", tuple, ()),
        _number(record, "Queue", limits.INTEGER_MAX),
        tuple(sorted((str(key), str(text)) for key, text in args.items())),
        _field(record, "StackTrace", str, ""),
        _time_ns(record),
        _number(record, "QueueTick", NUMBER_MAX),
        _number(record, "MutQueueTick", NUMBER_MAX),
        _number(record, "MutQueueToken", NUMBER_MAX),
    )


def _groups(record: Record, states: int) -> Mapping[int, tuple[str, ...]]:
    """The names of the groups of each state by its index, in the order of groups."""
    groups = _field(record, "Groups", dict, {})
    order = _texts(record, "GroupsOrder")
    found: dict[int, list[str]] = {}
    for name in (*order, *sorted(groups.keys() - set(order))):
        for at in _numbers(groups, name):
            if at < states and len(found.setdefault(at, [])) < limits.GROUPS_MAX:
                found[at].append(name)
    return {at: tuple(names) for at, names in found.items()}


def _state(name: str, record: Record, groups: tuple[str, ...]) -> StateDef:
    """A relation that came empty is the same as none: gob does not distinguish them."""
    return StateDef(
        name,
        _field(record, "Auto", bool, False),
        _field(record, "Multi", bool, False),
        _texts(record, "Require") or None,
        _texts(record, "Add") or None,
        _texts(record, "Remove") or None,
        _texts(record, "After") or None,
        _texts(record, "Tags")[: limits.TAGS_MAX],
        groups,
    )


def _field(record: Record, name: str, kind: type[_Kind], zero: _Kind) -> _Kind:
    value = record.get(name)
    if value is None:
        return zero
    if type(value) is not kind:
        raise GobError(f"{name} is no {kind.__name__}")
    return value


def _number(record: Record, name: str, high: int) -> int:
    value = _field(record, name, int, 0)
    if not 0 <= value <= high:
        raise GobError(f"{name} is {value:,}, out of range")
    return value


def _numbers(record: Record, name: str) -> tuple[int, ...]:
    values = _field(record, name, tuple, ())
    if values and set(map(type, values)) != {int}:
        raise GobError(f"{name} is no list of numbers")
    if values and not 0 <= min(values) <= max(values) <= NUMBER_MAX:
        raise GobError(f"{name} holds a number out of range")
    return values


def _texts(record: Record, name: str) -> tuple[str, ...]:
    values = _field(record, name, tuple, ())
    if values and set(map(type, values)) != {str}:
        raise GobError(f"{name} is no list of texts")
    return values


def lines_of(entries: Records) -> GoLines:
    """Level and text of log lines."""
    return tuple([_line(record_of(entry)) for entry in entries])


def _line(entry: Record) -> tuple[int, str]:
    level, text = entry.get("Level", 0), entry.get("Text", "")
    if type(level) is int and type(text) is str and 0 <= level <= limits.SMALL_MAX:
        return level, text
    return _number(entry, "Level", limits.SMALL_MAX), _field(entry, "Text", str, "")


def _time_ns(record: Record) -> int | None:
    """Nanoseconds since 1970 of Go's own time format; the zone is left out."""
    raw = _field(record, "Time", bytes, b"")
    if len(raw) < _TIME_BYTES:
        return None
    seconds = int.from_bytes(raw[1:9], "big", signed=True) - _SECONDS_TO_UNIX_EPOCH
    time_ns = seconds * _NS + int.from_bytes(raw[9:13], "big", signed=True)
    return time_ns if abs(time_ns) <= NUMBER_MAX else None
