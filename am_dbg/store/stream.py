"""One stream of messages: its definitions, and its machines by their numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from am_dbg.store import checking, clock_check
from am_dbg.store.batch_rows import expand_batch
from am_dbg.store.chunk_columns import ColumnLoader
from am_dbg.store.definitions.column_facts import are_fitting
from am_dbg.store.definitions.shape_check import check_shape, check_table
from am_dbg.store.dictionary import CheckedTableLoader, DefinitionCounts, SegmentDictionary
from am_dbg.store.facts import LOST_SCHEMA, IndexedSchema
from am_dbg.store.gathering import Gathering
from am_dbg.store.loading.head_check import check_head
from am_dbg.store.packed.heads import ChunkHead
from am_dbg.store.received_records import ReceivedRecords, RecordStore
from am_dbg.store.track import Track
from am_dbg.store.values import MachineIdentity
from am_dbg.store.weights import (
    SCHEMA_BYTES,
    STEP_BYTES,
    STREAM_BYTES,
    TRACK_BYTES,
    hello_bytes,
    states_bytes,
)
from amtracer.errors import LimitError, WireError
from amtracer.wire import limits
from amtracer.wire.messages import (
    AnswerMessage,
    ArgsMessage,
    BatchMessage,
    ChunkMessage,
    DroppedMessage,
    EndMessage,
    GoneMessage,
    HelloMessage,
    LaterLinesMessage,
    LeftMessage,
    LinesMessage,
    MachineMessage,
    Message,
    OpenWorkMessage,
    PieceMessage,
    RecordSchemasMessage,
    RefusedMessage,
    Run,
    SchemaChangedMessage,
    SchemaMessage,
    SegmentMessage,
    ShapeMessage,
    ShapesMessage,
    Source,
    StringsMessage,
    TroubleMessage,
)
from amtracer.wire.vocabulary import GapKind, join_tx

UNWEIGHED_VALUES_MAX = 2_048
"""The most values of shapes whose memory is not counted yet: counting takes as long as adding."""
_MACHINE_BYTES = 48
"""The number of a machine in a stream."""


LIVE_FAMILY = -1
"""The family of all live streams. A machine can continue in another stream of its family. The
streams of a file have the number of the first one as family."""


class StreamStore(RecordStore, Protocol):
    """The methods of the store that a stream calls."""

    def new_dictionary(self, schemas: list[IndexedSchema], stream: int) -> SegmentDictionary:
        """Make an empty dictionary of this stream, with the next serial number."""

    def track_for(
        self, stream: Stream, message: MachineMessage, schema: IndexedSchema, ticks: tuple[int, ...]
    ) -> Track:
        """Return the track of a machine that enters a stream."""

    def lets_wait(self, stream: Stream) -> bool:
        """Whether rows of this stream can wait until `settle` is called."""

    def settle(self) -> None:
        """Take in the rows that wait, of any stream."""

    def count_transitions(self, transitions: int) -> None:
        """Count transitions that were taken in."""

    def close_dictionary(self, dictionary: SegmentDictionary, *, is_adopted: bool = False) -> None:
        """End the definitions of this dictionary; one that was adopted stays for its chunks."""

    def add_bytes(self, weight: int) -> None:
        """Count bytes that are kept, or were freed if negative."""

    def track_changed(self, track: Track, *, weighs: bool = True) -> None:
        """Record that a track changed; with `weighs` also its memory."""


class Stream:
    """Takes in the messages of one connection or file, in order.

    A message is checked as a whole before anything of it is kept. So a WireError changes
    nothing, and the next message could follow. Checked rows can wait (see
    `am_dbg.store.gathering`) until `settle`, or until a message that changes a track.
    """

    def __init__(self, number: int, label: str, live: bool, store: StreamStore) -> None:
        self.number = number
        self.label = label
        self.live = live
        self.family = LIVE_FAMILY if live else number
        self.open = True
        self.ended = False
        self.starts_new_tracks = False
        self.reason = ""
        self.closed_ns = 0
        self.hello: HelloMessage | None = None
        self.tracks: list[Track] = []
        self._schema_of: list[int] = []
        self.weight = 0
        self._store = store
        self._gathering = Gathering()
        self._unweighed = 0
        self._schemas: list[IndexedSchema] = []
        self.dictionary = store.new_dictionary(self._schemas, number)
        self._records = ReceivedRecords(store, number, self._add_bytes)
        self._add_bytes(STREAM_BYTES + sys.getsizeof(label))

    @classmethod
    def stub(cls) -> Stream:
        """An empty stream, in the place of streams that were forgotten."""
        stream = cls.__new__(cls)
        stream.number, stream.label, stream.reason = -1, "", ""
        stream.family = stream.closed_ns = 0
        stream.live = stream.open = stream.ended = stream.starts_new_tracks = False
        stream.hello, stream.tracks, stream.weight = None, [], 0
        return stream

    @property
    def schemas(self) -> Sequence[IndexedSchema]:
        """The schemas by number, read-only."""
        return self._schemas

    def take(self, message: Message) -> None:
        """Take one message in, or raise a WireError that names it."""
        try:
            if self.hello is None and type(message) is not HelloMessage:
                raise WireError("a stream that does not begin with a hello")
            if self.ended or not self.open:
                raise WireError("a message after the end of its stream")
            if type(message) not in _CHANGES_NO_TRACK:
                self._store.settle()
            _TAKERS[type(message)](self, message)
        except WireError as error:
            if not error.where:
                error.where = type(message).__name__
                error.args = (f"{error.where}: {error}",)
            raise

    def lose_schema(self) -> None:
        """Leave out the next schema, which is lost: its transitions cannot be taken in."""
        self._schemas.append(LOST_SCHEMA)
        self._add_bytes(SCHEMA_BYTES)

    def lose_machine(self) -> None:
        """Leave out the next machine, of which nothing is known: it takes nothing."""
        identity = MachineIdentity("", "", (), "", "", 0)
        lost = Track("", identity, self.number, LOST_SCHEMA, (), 0)
        lost.removed = lost.gone = lost.ended = True
        self.tracks.append(lost)
        self._schema_of.append(0)
        self._add_bytes(TRACK_BYTES)

    def has_schema(self, number: int) -> bool:
        """Whether a schema is defined and not lost."""
        return self._schema(number) is not LOST_SCHEMA

    def adopt_segment(
        self, loader: CheckedTableLoader, counts: DefinitionCounts
    ) -> SegmentDictionary:
        """A dictionary of this stream whose definitions a loader gives."""
        dictionary = self._store.new_dictionary(self._schemas, self.number)
        dictionary.load_from(loader, counts)
        loader.checked_by(lambda table: check_table(table, self._schemas))
        self._store.close_dictionary(dictionary, is_adopted=True)
        if loader.lacks_parts:
            dictionary.learn_lost()
        return dictionary

    def adopt_chunk(
        self, head: ChunkHead, dictionary: SegmentDictionary, loader: ColumnLoader
    ) -> None:
        """Add a chunk of which only the head is in memory; WireError if it does not fit.

        Call `end_adopting` after the last one of the machine.
        The schema changes if the head has another one: the message about it may be lost.
        """
        track, schema = self._track(head.machine), self._schema(head.schema)
        if schema is LOST_SCHEMA:
            raise WireError("their schema is damaged")
        check_head(head, len(schema.states), track.identity.unit_ns, dictionary.counts)
        if dictionary.has_lost(head.shapes[0], head.lines[0]):
            raise WireError("their definitions are damaged")
        if self._schema_of[head.machine] != head.schema and head.first_row >= track.row_next:
            self.skip_damaged(head.machine, head.first_row)
            self._change_schema(head.machine, schema, head.schema, head.ticks)
        track.reopen(self.live)
        track.adopt(head, dictionary, loader)
        self._store.count_transitions(head.rows)

    def end_adopting(self, machine: int) -> None:
        """Count the memory of the chunks that a machine was given, and report its change."""
        self._store.track_changed(self.tracks[machine])

    def skip_damaged(self, machine: int, row: int) -> None:
        """Go on at this row; what is missing up to it was damaged."""
        track = self._track(machine)
        if track.row_next < row <= checking.TICK_MAX:
            track.skip_lost(row - track.row_next, track.ticks, "damaged", GapKind.DAMAGED)
            self._store.track_changed(track)

    def take_open_work(self, message: OpenWorkMessage, row: int) -> None:
        """Take the open work that there was before a transition that was adopted already."""
        track = self._track(message.machine)
        checking.check_open_work(message, track.identity.unit_ns)
        track.add_open_work(message.work, message.more, track.number_at_row(row) - 1)
        self._store.track_changed(track)

    def take_defined(self, message: Message, dictionary: SegmentDictionary) -> None:
        """Take a message whose numbers are those of another segment."""
        before, self.dictionary = self.dictionary, dictionary
        try:
            self.take(message)
        finally:
            self.dictionary = before

    def close(self, reason: str) -> None:
        """End the stream; its tracks stay."""
        self.open = False
        self.reason = reason
        self._records.close()
        self._store.close_dictionary(self.dictionary)
        del self.dictionary  # definitions that no track holds are dropped
        for track in self.tracks:
            if track.stream == self.number and not track.ended:
                track.close(reason)
                self._store.track_changed(track)

    def forget(self, gone: Collection[Track]) -> None:
        """Replace tracks by stubs that keep nothing; a closed stream only removes them."""
        if not self.open:
            self.tracks = [track for track in self.tracks if track not in gone]
            return
        for at, track in enumerate(self.tracks):
            if track in gone:
                self.tracks[at] = stub = track.stub()
                self._store.track_changed(stub)

    def _add_bytes(self, more: int) -> None:
        self.weight += more
        self._store.add_bytes(more)

    def _take_hello(self, message: HelloMessage) -> None:
        if self.hello is not None:
            raise WireError("a second hello")
        checking.check_hello(message)
        self.hello = message
        self._add_bytes(hello_bytes(message))

    def _take_schema(self, message: SchemaMessage) -> None:
        if message.schema != len(self._schemas):
            raise WireError(f"schema {message.schema} defined out of order")
        if message.schema >= limits.SCHEMAS_MAX:
            raise LimitError("schemas of a stream", message.schema + 1, limits.SCHEMAS_MAX)
        checking.check_states(message.states)
        self._schemas.append(IndexedSchema(message.states))
        self._add_bytes(SCHEMA_BYTES + states_bytes(message.states))

    def _take_machine(self, message: MachineMessage) -> None:
        if message.machine != len(self.tracks):
            raise WireError(f"machine {message.machine} defined out of order")
        if message.machine >= limits.MACHINES_PER_CONNECTION_MAX:
            raise LimitError(
                "machines of a stream", message.machine + 1, limits.MACHINES_PER_CONNECTION_MAX
            )
        schema = self._schema(message.schema)
        ticks = checking.check_machine(message, schema)
        self.tracks.append(self._store.track_for(self, message, schema, ticks))
        self._schema_of.append(message.schema)
        self._add_bytes(_MACHINE_BYTES)

    def _take_schema_changed(self, message: SchemaChangedMessage) -> None:
        self._track(message.machine)
        schema = self._schema(message.schema)
        checking.check_ticks(message.ticks, schema)
        self._change_schema(message.machine, schema, message.schema, message.ticks)

    def _change_schema(
        self, machine: int, schema: IndexedSchema, number: int, ticks: tuple[int, ...]
    ) -> None:
        track = self._track(machine)
        track.reopen(self.live)
        track.change_schema(schema, ticks)
        self._store.track_changed(track)
        self._schema_of[machine] = number

    def _take_gone(self, message: GoneMessage) -> None:
        track = self._track(message.machine)
        track.reopen(self.live)
        track.dispose()
        self._store.track_changed(track)

    def _take_shape(self, message: ShapeMessage) -> None:
        number, schema_number, shape, lines = message
        dictionary = self.dictionary
        table = dictionary.shape_table
        if number != len(table):
            raise WireError(f"shape {number} defined out of order")
        if number >= limits.SHAPES_MAX:
            raise LimitError("shapes of a segment", number + 1, limits.SHAPES_MAX)
        if table.packed.total > checking.SHAPE_BYTES_MAX:
            what = "bytes of shapes in a segment"
            raise LimitError(what, table.packed.total, checking.SHAPE_BYTES_MAX)
        schema = self._schema(schema_number)
        known = len(schema.checked_steps)
        check_shape(shape, len(schema.states), schema.checked_steps)
        if len(schema.checked_steps) != known:
            self._add_bytes((len(schema.checked_steps) - known) * STEP_BYTES)
        checking.check_usual_lines(lines, dictionary)
        dictionary.define_shape(schema_number, shape, lines)
        self._unweighed += 1 + len(shape.called) + len(shape.changes) + len(shape.steps)
        if self._unweighed >= UNWEIGHED_VALUES_MAX:
            self._weigh_definitions()

    def _take_shapes(self, message: ShapesMessage) -> None:
        """Take shapes at once; one by one if one of them may be wrong, to name it."""
        schema = self._schemas[message.schema] if message.schema < len(self._schemas) else None
        table, count = self.dictionary.shape_table, len(message.types)
        if (
            schema is None
            or message.first != len(table)
            or message.first + count > limits.SHAPES_MAX
            or table.packed.total > checking.SHAPE_BYTES_MAX - checking.SHAPES_BYTES_MAX
            or max(message.lines) > self.dictionary.line_set_count
            or not are_fitting(message, schema)
        ):
            for one in message.messages():
                self.take(one)
            return
        self.dictionary.define_shapes(message)
        self._weigh_definitions()

    def _weigh_definitions(self) -> None:
        self._unweighed = 0
        self._store.add_bytes(self.dictionary.weigh())

    def _take_strings(self, message: StringsMessage) -> None:
        texts, heads = checking.check_strings(message, self.dictionary)
        self.dictionary.define_texts(texts, heads)
        self._weigh_definitions()

    def _take_lines(self, message: LinesMessage) -> None:
        checking.check_lines(message, self.dictionary)
        self.dictionary.define_line_sets(message.sets)
        self._weigh_definitions()

    def _take_args(self, message: ArgsMessage) -> None:
        checking.check_args(message, self.dictionary)
        for texts in message.sets:
            self.dictionary.define_args(texts)
        self._weigh_definitions()

    def _take_segment(self, message: SegmentMessage) -> None:
        self._store.close_dictionary(self.dictionary)
        self.dictionary = self._store.new_dictionary(self._schemas, self.number)

    def _take_batch(self, message: BatchMessage) -> None:
        tracks = self._tracks_of(message.runs)
        if message.links:
            message = self._with_sources(message)
        checking.check_batch(message, self.dictionary)
        counts = [run.length for run in message.runs]
        active = self._checked_runs(message, tracks, counts)
        rows = expand_batch(message, self.dictionary, [track.identity.unit_ns for track in tracks])
        checking.check_calls_ns(rows.calls.durations)
        clock_check.take([track.check for track in tracks], counts, active, self.dictionary)
        self._add_bytes(-self._gathering.size)
        self._gathering.add(rows, tracks, counts)
        self._add_bytes(self._gathering.size)
        self._weigh_definitions()
        if self._gathering.is_full or not self._store.lets_wait(self):
            self.settle()

    def settle(self) -> None:
        """Take in the rows that wait."""
        if not self._gathering:
            return
        self._add_bytes(-self._gathering.size)
        rows, runs = self._gathering.take()
        is_heavy = any((rows.ids, rows.sources, rows.args, rows.pre_lines, rows.calls))
        for track, start, end in runs:
            track.reopen(self.live)
            track.append(rows, start, end, self.dictionary)
            if not track.removed:
                self._store.count_transitions(end - start)
            self._store.track_changed(track, weighs=is_heavy or not track.is_light)

    def _checked_runs(
        self, message: BatchMessage, tracks: Sequence[Track], counts: Sequence[int]
    ) -> list[int]:
        """The states that are active after each run; WireError if a run does not fit."""
        dictionary, shapes = self.dictionary, message.shapes
        checks = [track.check for track in tracks]
        checking.check_runs(message.runs, [check.row for check in checks])
        checking.check_times(message, [track.identity.unit_ns for track in tracks])
        schemas = [self._schema_of[run.machine] for run in message.runs]
        checking.check_schemas(shapes, dictionary, schemas, counts)
        active = clock_check.active_after(checks, counts, shapes, dictionary)
        if len(active) < len(tracks):
            key = tracks[len(active)].key
            raise WireError(f"ticks of {key!r} that do not fit the ticks before")
        if not clock_check.are_surely_below(checking.TICK_MAX, checks, len(shapes), dictionary):
            self._check_ticks(shapes, tracks, counts)
        return active

    def _check_ticks(
        self, shapes: Sequence[int], tracks: Sequence[Track], counts: Sequence[int]
    ) -> None:
        """Refuse a tick over the limit; that needs the ticks after everything before."""
        self.settle()
        shapes_left = iter(shapes)
        for track, count in zip(tracks, counts, strict=True):
            own = tuple(islice(shapes_left, count))
            if not track.check.stays_below(checking.TICK_MAX, own, self.dictionary, track.ticks):
                raise WireError(f"a tick of {track.key!r} out of range")

    def _tracks_of(self, runs: Sequence[Run]) -> list[Track]:
        """The tracks of some runs; WireError if one of them can take nothing."""
        machines = [run.machine for run in runs]
        if min(machines, default=0) >= 0 and max(machines, default=0) < len(self.tracks):
            tracks = [self.tracks[machine] for machine in machines]
            number = self.number
            if not [track for track in tracks if track.gone or track.stream != number]:
                return tracks
        return [self._track(machine) for machine in machines]

    def _with_sources(self, message: BatchMessage) -> BatchMessage:
        """The batch with sources in place of its links."""
        sources = dict(message.sources)
        for at, (machine, number, time) in message.links.items():
            if not 0 <= machine < len(self.tracks):
                raise WireError(f"a source in machine {machine}, which is not defined")
            if at in sources:
                raise WireError("a transition with two sources")
            identity = self.tracks[machine].identity
            sources[at] = Source(identity.id, join_tx(identity.tx_prefix, number), time)
        return replace(message, sources=sources, links={})

    def _take_dropped(self, message: DroppedMessage) -> None:
        track = self._track(message.machine)
        if not 0 <= message.count <= checking.TICK_MAX - track.row_next:
            raise WireError("a count of lost transitions out of range")
        checking.check_ticks(message.ticks, track.schema)
        track.reopen(self.live)
        track.skip_lost(message.count, message.ticks, message.reason, message.kind)
        self._store.track_changed(track)

    def _take_left(self, message: LeftMessage) -> None:
        track = self._track(message.machine)
        if not track.ended:
            track.close(message.reason)
            self._store.track_changed(track)

    def _take_refused(self, message: RefusedMessage) -> None:
        track = self._track(message.machine)
        checking.check_note(message.row, message.count)
        if track.notes.refuse(message):
            track.notes_changed()
            self._store.track_changed(track)

    def _take_trouble(self, message: TroubleMessage) -> None:
        track = self._track(message.machine)
        checking.check_note(message.row, message.duration_ns)
        if track.notes.trouble(message):
            track.notes_changed()
            self._store.track_changed(track)

    def _take_later_lines(self, message: LaterLinesMessage) -> None:
        track = self._track(message.machine)
        checking.check_later_lines(message, self.dictionary)
        if self.dictionary.has_lost((), (message.lines + 1,)):
            raise WireError("later log lines that are damaged")
        track.reopen(self.live)
        track.add_lines(self.dictionary.lines(message.lines), message.missing)
        self._store.track_changed(track)

    def _take_open_work(self, message: OpenWorkMessage) -> None:
        track = self._track(message.machine)
        checking.check_open_work(message, track.identity.unit_ns)
        number = track.number_at_row(message.before - 1) - 1 if message.before else track.count
        newest = track.open.newest
        if newest is not None and number < newest.number:
            raise WireError("open work out of order")
        track.reopen(self.live)
        track.add_open_work(message.work, message.more, number)
        self._store.track_changed(track)

    def _take_piece(self, message: PieceMessage) -> None:
        if not self.live:
            raise WireError("a record of another debugger in a file")
        self._records.add_piece(message)

    def _take_record_schemas(self, message: RecordSchemasMessage) -> None:
        self._records.add_schemas(message, self._schema)

    def _take_chunk(self, message: ChunkMessage) -> None:
        track = self._track(message.machine)
        schema, unit_ns = self._schema_of[message.machine], track.identity.unit_ns
        head, dictionary, loader = self._records.chunk(message, schema, unit_ns)
        check_head(head, len(track.schema.states), unit_ns, dictionary.counts)
        track.check_next(head)
        if dictionary.has_lost(head.shapes[0], head.lines[0]):
            raise WireError("rows whose definitions are damaged")
        track.reopen(self.live)
        track.adopt_next(head, dictionary, loader)
        if not track.removed:
            self._store.count_transitions(head.rows)
        self._records.placed(message, track)
        self._store.track_changed(track)

    def _take_answer(self, message: AnswerMessage) -> None:
        """Nothing was asked on this side."""

    def _take_end(self, message: EndMessage) -> None:
        self.ended = True

    def _schema(self, number: int) -> IndexedSchema:
        if not 0 <= number < len(self._schemas):
            raise WireError(f"schema {number} is not defined")
        return self._schemas[number]

    def _track(self, machine: int) -> Track:
        if not 0 <= machine < len(self.tracks):
            raise WireError(f"machine {machine} is not defined")
        track = self.tracks[machine]
        if track.gone:
            raise WireError(f"machine {track.key!r} was disposed and sends more")
        if track.stream != self.number:
            raise WireError(f"machine {track.key!r} continues in another stream")
        return track


_CHANGES_NO_TRACK = frozenset(
    {
        SchemaMessage,
        StringsMessage,
        LinesMessage,
        ArgsMessage,
        ShapeMessage,
        ShapesMessage,
        BatchMessage,
        PieceMessage,
        RecordSchemasMessage,
    }
)
"""Messages that rows can wait for; before any other, the rows before it are taken in."""

_TAKERS: dict[type, Callable[..., None]] = {
    HelloMessage: Stream._take_hello,
    SchemaMessage: Stream._take_schema,
    MachineMessage: Stream._take_machine,
    SchemaChangedMessage: Stream._take_schema_changed,
    GoneMessage: Stream._take_gone,
    ShapeMessage: Stream._take_shape,
    ShapesMessage: Stream._take_shapes,
    StringsMessage: Stream._take_strings,
    LinesMessage: Stream._take_lines,
    ArgsMessage: Stream._take_args,
    SegmentMessage: Stream._take_segment,
    BatchMessage: Stream._take_batch,
    DroppedMessage: Stream._take_dropped,
    LeftMessage: Stream._take_left,
    RefusedMessage: Stream._take_refused,
    TroubleMessage: Stream._take_trouble,
    LaterLinesMessage: Stream._take_later_lines,
    OpenWorkMessage: Stream._take_open_work,
    AnswerMessage: Stream._take_answer,
    PieceMessage: Stream._take_piece,
    RecordSchemasMessage: Stream._take_record_schemas,
    ChunkMessage: Stream._take_chunk,
    EndMessage: Stream._take_end,
}
