"""What a message must keep to before anything of it is taken in.

Messages come from other programs and from files. Types are the codec's matter; here
everything is checked that needs to know what came before: numbers that must be defined,
lengths that must agree, states that must exist, limits. Each function raises a WireError
or returns; none changes anything, so a refused message leaves no trace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate

from am_dbg.store.dictionary import Dictionary
from am_dbg.store.facts import Schema
from amtracer import limits
from amtracer.errors import LimitError, VersionError, WireError
from amtracer.schema import (
    PROTOCOL_VERSION,
    PROTOCOL_VERSION_MIN,
    BatchMessage,
    HelloMessage,
    LinesMessage,
    MachineMessage,
    Shape,
    Source,
    StateDef,
    StepDef,
    StringsMessage,
)

__all__ = [
    "SHAPE_BYTES_MAX",
    "TICK_MAX",
    "TIME_NS_MAX",
    "check_batch",
    "check_hello",
    "check_lines",
    "check_machine",
    "check_shape",
    "check_states",
    "check_strings",
    "check_ticks",
]

TICK_MAX = 2**62
"""Ticks, and row numbers, a machine may report; growth on top of it still fits 64 bits."""
TIME_NS_MAX = 2**62
"""Distance from the epoch; differences of two times still fit 64 bits."""
SHAPE_BYTES_MAX = 256 * 1024 * 1024
"""All shapes of one segment, as the store packs them."""

_MUTATION_TYPE_MAX = 3
_RELATION_MAX = 3


def check_hello(message: HelloMessage) -> None:
    """Refuse a protocol version that is not read here."""
    if not PROTOCOL_VERSION_MIN <= message.version <= PROTOCOL_VERSION:
        raise VersionError(
            "protocol version", message.version, PROTOCOL_VERSION_MIN, PROTOCOL_VERSION
        )


def check_states(states: Sequence[StateDef]) -> None:
    """Refuse a schema that is too large or has a name twice."""
    _limit("states of a schema", len(states), limits.STATES_MAX)
    names = {state.name for state in states}
    _need(len(names) == len(states), "a schema with two states of one name")


def check_machine(message: MachineMessage, schema: Schema) -> tuple[int, ...]:
    """Refuse a bad entry of a machine; return the ticks it begins with."""
    _limit("tags of a machine", len(message.tags), limits.TAGS_MAX)
    _need(0 <= message.row <= TICK_MAX, "a machine at a row out of range")
    if not message.ticks:
        return (0,) * len(schema.states)
    check_ticks(message.ticks, schema)
    return message.ticks


def check_ticks(ticks: Sequence[int], schema: Schema) -> None:
    """Refuse ticks that are not one for each state."""
    if len(ticks) != len(schema.states):
        raise WireError(f"{len(ticks)} ticks for {len(schema.states)} states")
    _need(all(0 <= tick <= TICK_MAX for tick in ticks), "a tick out of range")


def check_shape(shape: Shape, schema: Schema) -> None:
    """Refuse a shape that does not fit its schema."""
    states = len(schema.states)
    _need(0 <= shape.type <= _MUTATION_TYPE_MAX, "a mutation of unknown type")
    _need(0 <= shape.flags <= limits.SMALL_MAX, "flags of a shape out of range")
    _need(_all_below(shape.called, states), "a called state out of range")
    changed = dict(shape.changes)
    _need(_all_below(changed, states), "a changed state out of range")
    _need(len(changed) == len(shape.changes), "a state that is changed twice in a shape")
    for growth in changed.values():
        if not 1 <= abs(growth) <= limits.GROWTH_MAX:
            raise WireError("a tick growth out of range")
    _limit("steps of a shape", len(shape.steps), limits.STEPS_MAX)
    for type_, relation, flags, source, target in shape.steps:
        if not (
            0 <= type_ <= limits.SMALL_MAX
            and -1 <= relation <= _RELATION_MAX
            and 0 <= flags <= limits.SMALL_MAX
            and -1 <= source < states
            and -1 <= target < states
        ):
            _refuse_step(StepDef(type_, relation, flags, source, target), states)


def _refuse_step(step: StepDef, states: int) -> None:
    """Tell what is wrong with it."""
    _need(0 <= step.type <= limits.SMALL_MAX, "the type of a step out of range")
    _need(0 <= step.flags <= limits.SMALL_MAX, "the flags of a step out of range")
    _need(-1 <= step.relation <= _RELATION_MAX, "the relation of a step out of range")
    _need(-1 <= step.source < states, "the source of a step out of range")
    _need(-1 <= step.target < states, "the target of a step out of range")


def check_strings(message: StringsMessage, book: Dictionary) -> list[bytes]:
    """Refuse strings out of turn or over a limit; return their bytes."""
    _next("string", message.first, book.text_count)
    _limit("strings of a segment", message.first + len(message.texts), limits.STRINGS_MAX)
    texts = [text.encode("utf-8", "surrogatepass") for text in message.texts]
    lengths = [len(text) for text in texts]
    _limit("bytes of a text", max(lengths, default=0), limits.TEXT_BYTES_MAX)
    _limit(
        "bytes of text in a segment",
        book.text_bytes + sum(lengths),
        limits.SEGMENT_TEXT_BYTES_MAX,
    )
    return texts


def check_lines(message: LinesMessage, book: Dictionary) -> None:
    """Refuse a line set out of turn, over a limit or with a text that is not defined."""
    _next("line set", message.lines, book.line_set_count)
    _limit("line sets of a segment", message.lines + 1, limits.LINE_SETS_MAX)
    _limit("lines of a transition", len(message.entries), limits.LINES_MAX)
    known = book.text_count
    for level, text in message.entries:
        if not 0 <= level <= limits.SMALL_MAX:
            raise WireError("a log level out of range")
        if not 0 <= text < known:
            raise WireError("a log line whose text is not defined")


def check_batch(message: BatchMessage, book: Dictionary, schema: int, row_next: int) -> list[int]:
    """Refuse a batch that does not follow or whose columns do not fit; return its times."""
    rows = len(message.shapes)
    _limit("transitions in a batch", rows, limits.BATCH_ROWS_MAX)
    _need(rows > 0, "a batch without transitions")
    if message.row != row_next:
        raise WireError(f"transitions from row {message.row} where row {row_next} comes next")
    _check_shapes(message.shapes, book, schema)
    _need(len(message.times) == rows, "not one time for each transition")
    times = list(accumulate(message.times))
    _need(
        min(times) >= -TIME_NS_MAX and max(times) <= TIME_NS_MAX,
        "a time out of range",
    )
    _check_dense("duration", message.durations, rows, limits.INTEGER_MAX)
    _check_dense("queue length", message.queues, rows, limits.INTEGER_MAX)
    _check_dense("line set", message.lines, rows, book.line_set_count)
    _check_sparse(message, rows, book)
    return times


def _check_shapes(shapes: Sequence[int], book: Dictionary, schema: int) -> None:
    distinct = set(shapes)
    _need(_all_below(distinct, book.shape_count), "a shape that is not defined")
    schemas = set(map(book.schema_of.__getitem__, distinct))
    _need(schemas == {schema}, "a shape that belongs to another schema")


def _check_dense(what: str, column: Sequence[int], rows: int, largest: int) -> None:
    if column:
        _need(len(column) == rows, f"not one {what} for each transition")
        _need(min(column) >= 0 and max(column) <= largest, f"a {what} out of range")


def _check_sparse(message: BatchMessage, rows: int, book: Dictionary) -> None:
    columns: tuple[Mapping[int, object], ...] = (
        message.sources,
        message.args,
        message.pre_lines,
        message.handlers,
        message.ids,
    )
    for column in columns:
        if column:
            _need(_all_below(column, rows), "a value for a row outside the batch")
    for source in message.sources.values():
        _check_source(source)
    if message.args:
        most = max(map(len, message.args.values()))
        _limit("arguments of a transition", most, limits.ARGS_MAX)
        texts = [text for pairs in message.args.values() for pair in pairs for text in pair]
        _need(_all_below(texts, book.text_count), "an argument whose text is not defined")
    _need(
        _all_below(message.pre_lines.values(), book.line_set_count + 1),
        "an earlier line set out of range",
    )
    for durations in message.handlers.values():
        _limit("handler times of a transition", len(durations), limits.HANDLERS_MAX)
        _need(_all_below(durations, TIME_NS_MAX), "the time of a handler out of range")


def _check_source(source: Source) -> None:
    _need(0 <= source.time <= limits.INTEGER_MAX, "the time of a source out of range")


def _all_below(values: Collection[int], end: int) -> bool:
    return not values or (min(values) >= 0 and max(values) < end)


def _next(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise WireError(f"{what} {found} defined where {expected} comes next")


def _limit(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise LimitError(what, found, limit)


def _need(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise WireError(otherwise)
