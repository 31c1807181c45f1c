"""The protocol of live Go programs: takes bytes, returns messages and the bytes of the answer.

A Go program opens a connection for each machine and makes calls on it, one after another. A call
is a gob `Request` (method, number) and a gob value; the program waits for a gob `Response`
(method, number, error) and an empty text. Each direction is one gob stream, in which types are
defined once. The program first sends the schema of its machine, then its transitions, and its
schema again after each change. A debugger that forwards to another one wraps the same values and
can send many machines.

Methods have different names in different versions, so the fields of the value's type identify a
call. A call with an unknown type of value is answered with an error. A call whose content cannot
be represented is answered and counted, because the program cannot use our reasons.

A program waits for each answer, so a call is answered as soon as it is complete, and is read
later, together with others (`GoConnection.read`). A program usually repeats the same call with
the next number, so this case has a fast path (`GoConnection._answered_at_once`).

This module uses no sockets or clocks: the owner of the connection passes the bytes and the time
of their arrival, which becomes the time of the transitions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from am_dbg.ingest.golang.convert import Converter
from am_dbg.ingest.golang.gob import GobStream, GobValue
from am_dbg.ingest.golang.log import shift_guess
from am_dbg.ingest.golang.primitives import GobError, read_int, read_uint
from am_dbg.ingest.golang.records import Record, record_of, schema_of
from am_dbg.ingest.golang.replies import Replies, uint
from amtracer.encode.stream_writer import StreamWriter
from amtracer.errors import WireError
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage, Message

_METHOD, _NUMBER = "ServiceMethod", "Seq"
_REQUEST_FIELDS = 2
_NUMBER_MAX = 2**64 - 1


class _Call(Enum):
    """The content of a call; the value is a field that only its type has."""

    SCHEMA = "StatesIndex"
    TRANSITION = "Clocks"
    FORWARDED_SCHEMA = "MsgStruct"
    FORWARDED_TRANSITION = "MsgTx"


class _Waiting(NamedTuple):
    """A call that was answered and not read yet."""

    kind: _Call
    value: GobValue
    now_ns: int


class GoConnection:
    """One connection of a Go program; `emit` takes its messages in order.

    `session` is the session in the hello of the stream. `refused` counts calls whose content
    could not be represented, `last_refusal` is the reason. `waiting` counts the calls that are
    answered and not read, `waiting_bytes` their size. One thread at a time.
    """

    def __init__(self, emit: Callable[[Message], None], session: str) -> None:
        self._emit = emit
        self._session = session
        self._stream = GobStream()
        self._replies = Replies()
        self._request: tuple[str, int] | None = None
        self._method, self._head = "", b""
        self._kinds: dict[int, _Call] = {}
        self._waiting: deque[_Waiting] = deque()
        self._began_ns = 0
        self._writer: StreamWriter | None = None
        self._converter: Converter | None = None
        self.waiting_bytes = 0
        self.calls = 0
        self.refused = 0
        self.last_refusal = ""

    @property
    def idle(self) -> bool:
        """True between calls, where a program can end in order."""
        return self._stream.idle and self._request is None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete message."""
        return self._stream.pending_bytes

    def receive(self, data: bytes, now_ns: int) -> bytes:
        """Answer and read at once; see `answer` and `read`."""
        try:
            return self.answer(data, now_ns)
        finally:
            self.read()

    def answer(self, data: bytes, now_ns: int) -> bytes:
        """Take bytes that came at this time and return the bytes to send back.

        Raises `GobError` for bytes that are no calls; then the connection cannot be used any
        more. The complete calls before them wait to be read.
        """
        answer = self._answered_at_once(data, now_ns)
        if answer:
            return answer
        answers = []
        for value in self._stream.feed(data):
            if self._request is None:
                self._request = _request(value)
                self._method, self._head = self._request[0], _head_of(value, self._request[1])
                self._began_ns = self._began_ns or now_ns
            else:
                answers.append(self._answered(*self._request, value, now_ns))
                self._request = None
        return b"".join(answers)

    def _answered_at_once(self, data: bytes, now_ns: int) -> bytes:
        """The answer if this is one call like the previous one, else empty."""
        head = self._head
        if not (head and self.idle and data.startswith(head, 1)):
            return b""
        try:
            number, end = read_uint(data, 1 + len(head))
            size, start = read_uint(data, end + 1)
            type_id, at = read_int(data, start)
        except (IndexError, GobError):
            return b""
        kind = self._kinds.get(type_id)
        if kind is None or data[0] != end or data[end] or start + size != len(data):
            return b""
        self.calls += 1
        value = GobValue(self._stream.types, type_id, data[start:], at - start)
        self._waiting.append(_Waiting(kind, value, now_ns))
        self.waiting_bytes += size
        return self._replies.answer(self._method, number)

    def read(self, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Read calls in order, at least one, until none waits or `is_enough` returns True.

        Raises `GobError` for a value that cannot be read. The calls after it are dropped,
        because they cannot be read reliably.
        """
        waiting = self._waiting
        if self._began_ns:
            self._begin(self._began_ns)
        try:
            while waiting:
                kind, value, now_ns = waiting.popleft()
                self.waiting_bytes -= len(value.body)
                self._read(kind, value, now_ns)
                if is_enough():
                    break
        except GobError:
            waiting.clear()
            self.waiting_bytes = 0
            raise
        finally:
            if self._writer is not None and self._converter is not None:
                self._converter.settle()
                self._writer.flush()

    def _begin(self, now_ns: int) -> None:
        """Send a hello, once; not before the first request, so that a stranger opens no stream."""
        if self._writer is not None:
            return
        hello = HelloMessage(
            PROTOCOL_VERSION,
            self._session,
            wall_ns=now_ns,
            mono_ns=0,
            origin="go",
            process={"library": "asyncmachine-go"},
        )
        self._writer = StreamWriter(self._emit, hello)
        types = self._stream.types
        self._converter = Converter(self._writer, lambda: shift_guess(types))

    def _answered(self, method: str, number: int, value: GobValue, now_ns: int) -> bytes:
        self.calls += 1
        kind = self._kinds.get(value.type_id) or self._kind_of(value)
        if kind is None:
            value.decode()
            self._refuse(f"an unknown call {method[:80]!r}")
            return self._replies.answer(method, number, f"rpc: can't find method {method[:80]}")
        self._waiting.append(_Waiting(kind, value, now_ns))
        self.waiting_bytes += len(value.body)
        return self._replies.answer(method, number)

    def _kind_of(self, value: GobValue) -> _Call | None:
        if not value.fields():
            self.read()  # a waiting value can define the type
        fields = {name for name, _ in value.fields()}
        kind = next((call for call in _Call if call.value in fields), None)
        if kind is not None:
            self._kinds[value.type_id] = kind
        return kind

    def _read(self, kind: _Call, value: GobValue, now_ns: int) -> None:
        body = value.decode()
        try:
            self._take(kind, record_of(body), now_ns)
        except WireError as error:
            self._refuse(str(error))

    def _take(self, kind: _Call, body: Record, now_ns: int) -> None:
        converter = self._converter
        assert converter is not None  # a request comes before its value
        refused = converter.refused
        match kind:
            case _Call.SCHEMA:
                converter.schema(schema_of(body))
            case _Call.FORWARDED_SCHEMA:
                converter.schema(schema_of(body.get(kind.value)))
            case _Call.TRANSITION:
                converter.transition(body, time_ns=now_ns)
            case _Call.FORWARDED_TRANSITION:
                converter.transition(body.get(kind.value), time_ns=now_ns)
        if converter.refused > refused:
            self._refuse(converter.last_refusal)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self.last_refusal = reason


def _head_of(value: GobValue, number: int) -> bytes:
    """The bytes of a request before its number, empty if the request has other fields."""
    end = uint(number) + b"\0"
    simple = number and len(value.fields()) == _REQUEST_FIELDS and value.body.endswith(end)
    return bytes(value.body[: -len(end)]) if simple else b""


def _is_request(value: GobValue) -> bool:
    return any(name == _METHOD for name, _ in value.fields())


def _request(value: GobValue) -> tuple[str, int]:
    """Method and number of a call."""
    record = value.decode()
    if not isinstance(record, Mapping) or not (_METHOD in record or _is_request(value)):
        raise GobError("a value where a request belongs")
    method, number = record.get(_METHOD, ""), record.get(_NUMBER, 0)
    if type(method) is not str or type(number) is not int or not 0 <= number <= _NUMBER_MAX:
        raise GobError("a request without method or number")
    return method, number
