"""Validates messages before anything of them is stored.

Messages come from other programs and from files. The codec checks types. This module checks
everything that depends on earlier messages: numbers that must be defined, lengths that must
agree, states that must exist, limits. Each function raises a WireError or returns. No function
changes the store, so a refused message has no effect.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain, repeat

from am_dbg.store.dictionary import SegmentDictionary
from am_dbg.store.facts import IndexedSchema
from amtracer.errors import LimitError, VersionError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import (
    PROTOCOL_VERSION,
    PROTOCOL_VERSION_MIN,
    ArgsMessage,
    BatchMessage,
    HelloMessage,
    LaterLinesMessage,
    LinesMessage,
    MachineMessage,
    OpenWorkMessage,
    Run,
    Source,
    StateDef,
    StringsMessage,
    TextWithKnownHead,
    TextWithNewHead,
)

TICK_MAX = 2**62
"""The largest tick and row number of a machine; growth on top of it still fits 64 bits."""
TIME_NS_MAX = 2**62
"""Distance from the epoch; differences of two times still fit 64 bits."""
SHAPE_BYTES_MAX = 256 * 1024 * 1024
"""Bytes of all shapes of one segment, as the store packs them."""
SHAPES_BYTES_MAX = 1024 * 1024
"""More than the bytes of shapes that come as columns, as the store packs them."""


def check_hello(message: HelloMessage) -> None:
    """Refuse a protocol version that is not supported."""
    if not PROTOCOL_VERSION_MIN <= message.version <= PROTOCOL_VERSION:
        raise VersionError(
            "protocol version", message.version, PROTOCOL_VERSION_MIN, PROTOCOL_VERSION
        )


def check_states(states: Sequence[StateDef]) -> None:
    """Refuse a schema that is too large or has a name twice."""
    _limit("states of a schema", len(states), limits.STATES_MAX)
    names = {state.name for state in states}
    _need(len(names) == len(states), "a schema with two states of one name")


def check_machine(message: MachineMessage, schema: IndexedSchema) -> tuple[int, ...]:
    """Refuse a bad entry of a machine; return the ticks it begins with."""
    _limit("tags of a machine", len(message.tags), limits.TAGS_MAX)
    _need(0 <= message.row <= TICK_MAX, "a machine at a row out of range")
    _need(1 <= message.unit_ns <= limits.UNIT_NS_MAX, "a unit out of range")
    if not message.ticks:
        return (0,) * len(schema.states)
    check_ticks(message.ticks, schema)
    return message.ticks


def check_ticks(ticks: Sequence[int], schema: IndexedSchema) -> None:
    """Refuse ticks unless there is one for each state."""
    if len(ticks) != len(schema.states):
        raise WireError(f"{len(ticks)} ticks for {len(schema.states)} states")
    _need(all(0 <= tick <= TICK_MAX for tick in ticks), "a tick out of range")


def check_strings(
    message: StringsMessage, dictionary: SegmentDictionary
) -> tuple[list[bytes], list[str]]:
    """Refuse strings out of order or over a limit; return their bytes and the new heads."""
    _next("string", message.first, dictionary.text_count)
    _limit("strings of a segment", message.first + len(message.texts), limits.STRINGS_MAX)
    texts: list[bytes] = []
    heads: list[str] = []
    total = dictionary.text_bytes
    for value in message.texts:
        text = value if isinstance(value, str) else _joined(value, heads, dictionary)
        raw = text.encode("utf-8", "surrogatepass")
        size = len(raw)
        total += size
        if size > limits.TEXT_BYTES_MAX or total > limits.SEGMENT_TEXT_BYTES_MAX:
            _limit("bytes of a text", size, limits.TEXT_BYTES_MAX)
            _limit("bytes of text in a segment", total, limits.SEGMENT_TEXT_BYTES_MAX)
        texts.append(raw)
    return texts, heads


def _joined(
    value: TextWithNewHead | TextWithKnownHead, heads: list[str], dictionary: SegmentDictionary
) -> str:
    """The text of a head and a rest; a new head is added to `heads`."""
    if isinstance(value, TextWithNewHead):
        text, chars = value
        if not 0 <= chars <= len(text):
            raise WireError("a head that is longer than its text")
        heads.append(text[:chars])
        return text
    known = len(dictionary.heads)
    _need(0 <= value.head < known + len(heads), "a string with a head that is not defined")
    head = dictionary.heads[value.head] if value.head < known else heads[value.head - known]
    return head + value.rest


def check_lines(message: LinesMessage, dictionary: SegmentDictionary) -> None:
    """Refuse line sets out of order, over a limit or with a text that is not defined."""
    _next("line set", message.first, dictionary.line_set_count)
    _limit("line sets of a segment", message.first + len(message.sets), limits.LINE_SETS_MAX)
    known = dictionary.text_count
    longest = max(map(len, message.sets), default=0)
    _limit("lines of a transition", longest, limits.LINES_MAX)
    entries = list(chain.from_iterable(message.sets))
    levels, texts = zip(*entries, strict=True) if entries else ((), ())
    if not _all_below(levels, limits.SMALL_MAX + 1):
        raise WireError("a log level out of range")
    if not _all_below(texts, known):
        raise WireError("a log line whose text is not defined")


def check_args(message: ArgsMessage, dictionary: SegmentDictionary) -> None:
    """Refuse sets of arguments by the rules for line sets."""
    _next("set of arguments", message.first, dictionary.arg_set_count)
    _limit("sets of arguments of a segment", message.first + len(message.sets), limits.ARG_SETS_MAX)
    longest = max(map(len, message.sets), default=0)
    _limit("arguments of a transition", longest // 2, limits.ARGS_MAX)
    texts = list(chain.from_iterable(message.sets))
    _need(_all_below(texts, dictionary.text_count), "an argument whose text is not defined")


def check_later_lines(message: LaterLinesMessage, dictionary: SegmentDictionary) -> None:
    """Refuse a line set that is not defined, and a count out of range."""
    _need(0 <= message.lines < dictionary.line_set_count, "a line set that is not defined")
    _need(0 <= message.missing <= TICK_MAX, "a count of missing lines out of range")


def check_open_work(message: OpenWorkMessage, unit_ns: int) -> None:
    """Refuse too much open work, long texts, and numbers out of range."""
    _limit("open work of a machine", len(message.work), limits.OPEN_WORK_MAX)
    _need(0 <= message.more <= TICK_MAX, "a count of open work out of range")
    for one in message.work:
        for text in one[:3]:
            size = len(text.encode("utf-8", "surrogatepass"))
            _limit("bytes of a text of open work", size, limits.OPEN_TEXT_BYTES_MAX)
        _need(0 <= one.since <= limits.INTEGER_MAX, "the beginning of open work out of range")
        _need(0 <= one.deadline <= TIME_NS_MAX // unit_ns, "a deadline out of range")


def check_usual_lines(lines: int, dictionary: SegmentDictionary) -> None:
    """Refuse a line set of a shape that is not defined."""
    _need(0 <= lines <= dictionary.line_set_count, "a line set of a shape that is not defined")


def check_batch(message: BatchMessage, dictionary: SegmentDictionary) -> None:
    """Refuse a batch whose columns do not fit; `check_run` checks its runs."""
    rows = len(message.shapes)
    _limit("transitions in a batch", rows, limits.BATCH_ROWS_MAX)
    _need(rows > 0, "a batch without transitions")
    lengths = [run.length for run in message.runs]
    _need(min(lengths, default=0) > 0, "a run without transitions")
    _need(sum(lengths) == rows, "runs that are not the whole batch")
    machines = {run.machine for run in message.runs}
    _need(len(machines) == len(message.runs), "a batch with two runs of a machine")
    _need(_all_below(message.shapes, dictionary.shape_count), "a shape that is not defined")
    _need(len(message.times) == rows, "not one time for each transition")
    _check_dense("duration", message.durations, rows, limits.INTEGER_MAX)
    _check_dense("queue length", message.queues, rows, limits.INTEGER_MAX)
    _check_dense("queue tick", message.queue_ticks, rows, limits.INTEGER_MAX)
    _check_sparse(message, rows, dictionary)
    if message.calls or message.own_calls:
        _check_calls(message, dictionary)


def check_runs(runs: Sequence[Run], rows_due: Sequence[int]) -> None:
    """Refuse a run that does not begin at the row that its machine has next."""
    rows = [run.row for run in runs]
    if rows != rows_due:
        row, due = next(pair for pair in zip(rows, rows_due, strict=True) if pair[0] != pair[1])
        raise WireError(f"transitions from row {row} where row {due} comes next")
    _need(max(run.row + run.length for run in runs) <= TICK_MAX, "a row out of range")


def check_times(message: BatchMessage, units: Sequence[int]) -> None:
    """Refuse times that are out of range in nanoseconds; `units` has a unit for each run."""
    for what, column, ns_max in (
        ("time", message.times, TIME_NS_MAX),
        ("duration", message.durations, limits.INTEGER_MAX),
    ):
        if not column or _all_within(column, ns_max // max(units)):
            continue
        ends = list(accumulate((run.length for run in message.runs), initial=0))
        for start, end, unit in zip(ends, ends[1:], units, strict=False):
            _need(_all_within(column[start:end], ns_max // unit), f"a {what} out of range")


def _all_within(values: Sequence[int], most: int) -> bool:
    return max(values) <= most and min(values) >= -most


def check_schemas(
    shapes: Sequence[int],
    dictionary: SegmentDictionary,
    schemas: Sequence[int],
    counts: Sequence[int],
) -> None:
    """Refuse shapes of another schema than their run has."""
    of_shape = dictionary.shape_table.schema_of.__getitem__
    if len(set(schemas)) == 1:
        is_so = set(map(of_shape, set(shapes))) == {schemas[0]}
    else:
        expected = list(chain.from_iterable(map(repeat, schemas, counts)))
        is_so = list(map(of_shape, shapes)) == expected
    _need(is_so, "a shape that belongs to another schema")


def _check_dense(what: str, column: Sequence[int], rows: int, largest: int) -> None:
    if column:
        _need(len(column) == rows, f"not one {what} for each transition")
        _need(min(column) >= 0 and max(column) <= largest, f"a {what} out of range")


def _check_sparse(message: BatchMessage, rows: int, dictionary: SegmentDictionary) -> None:
    columns: tuple[Mapping[int, object], ...] = (
        message.sources,
        message.lines,
        message.args,
        message.pre_lines,
        message.own_calls,
        message.ids,
    )
    for column in columns:
        if column:
            _need(_all_below(column, rows), "a value for a row outside the batch")
    for source in message.sources.values():
        _check_source(source)
    _check_args(message, dictionary)
    for line_sets in (message.lines, message.pre_lines):
        if line_sets:
            _need(
                _all_below(line_sets.values(), dictionary.line_set_count + 1),
                "a line set out of range",
            )


def _check_args(message: BatchMessage, dictionary: SegmentDictionary) -> None:
    sets = [value for value in message.args.values() if not isinstance(value, tuple)]
    _need(_all_below(sets, dictionary.arg_set_count), "a set of arguments that is not defined")
    if len(sets) < len(message.args):
        own = [value for value in message.args.values() if isinstance(value, tuple)]
        _limit("arguments of a transition", max(map(len, own)), limits.ARGS_MAX)
        texts = [text for pairs in own for pair in pairs for text in pair]
        _need(_all_below(texts, dictionary.text_count), "an argument whose text is not defined")


def _check_calls(message: BatchMessage, dictionary: SegmentDictionary) -> None:
    """Refuse durations unless there is one for each called handler."""
    own = message.own_calls
    _limit(
        "handler times of a transition", max(map(len, own.values()), default=0), limits.HANDLERS_MAX
    )
    if message.calls:
        counts = dictionary.shape_table.calls
        expected = sum(map(counts.__getitem__, message.shapes))
        expected -= sum(counts[message.shapes[at]] for at in own)
        _need(len(message.calls) == expected, "not one duration for each handler")


def check_calls_ns(durations: Sequence[int]) -> None:
    """Refuse durations of handlers that are out of range in nanoseconds."""
    _need(_all_below(durations, TIME_NS_MAX), "the time of a handler out of range")


def check_note(row: int, number: int) -> None:
    """Refuse a note whose row or number is out of range."""
    _need(0 <= row <= TICK_MAX, "a note about a row out of range")
    _need(0 <= number <= TICK_MAX, "the number of a note out of range")


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
