"""Reads gob, the stream format of the Go library, by the names its streams define.

A gob stream describes itself. It is a sequence of messages, each a length and a body. A body
begins with a type id: a negative one defines the type of that number, a positive one is a value
of that type. A type is a kind (list, struct, map, ...) over other types; a struct has names for
its fields, and a value has only the fields that are not zero. So a reader needs nothing from the
program that wrote: the result is a mapping of field names to values. A missing field is zero, and
an unknown field does no harm.

The values are booleans, integers, floats, text, bytes, tuples for lists, mappings for
structs and maps, `Boxed` for a value in an interface, None for an empty interface. A type
with its own marshaller (such as a time) is its bytes.

The rules of this reader:

- Nothing in a stream refers to code; a type name is only text.
- Limits hold for the length of a message, for a list (the rest of its message), for the elements
  of one value (`VALUES_MAX`) and for nesting.
- Any bytes, whole or one by one, give values or `GobError`, never another error. After an error
  the stream stays failed, because the beginning of the next message is not known.

`am_dbg.ingest.golang.gob_types` compiles a function for each type that reads its values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from am_dbg.ingest.golang.gob_types import Types
from am_dbg.ingest.golang.primitives import Buffer, GobError, read_int, read_uint

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of one message of a live stream; a session file is one message with another limit."""

_LENGTH_BYTES_MAX = 9
_CUT = "a value that is cut, or a field its type does not have"


@dataclass(frozen=True, slots=True)
class GobValue:
    """A message that is a value, not yet decoded."""

    types: Types
    type_id: int
    body: Buffer
    at: int

    @property
    def type_name(self) -> str:
        """Name of its type in the program that wrote it, empty for a type without a name."""
        definition = self.types.get(self.type_id)
        return definition.name if definition is not None else ""

    def fields(self) -> tuple[tuple[str, int], ...]:
        """Names and types of the fields, if this is a struct."""
        definition = self.types.get(self.type_id)
        return definition.fields if definition is not None else ()

    def element_fields(self) -> tuple[tuple[str, int], ...]:
        """Names and types of the fields, if this is a list of structs."""
        outer = self.types.get(self.type_id)
        struct = self.types.get(outer.element) if outer is not None else None
        if outer is None or outer.kind != "slice" or struct is None:
            return ()
        return struct.fields

    def decode(self) -> object:
        """The whole value."""
        self.types.begin()
        try:
            value, end = self.types.read_top(self.type_id, self.body, self.at)
        except IndexError:
            raise GobError(_CUT) from None
        if end != len(self.body):
            raise GobError("bytes after the value")
        return value

    def walk(self) -> Iterator[tuple[int, str, object]]:
        """Iterate over a list of structs: place in the list, field name, value of the field.

        A field that is a list comes element by element, so a large session is never in
        memory as values. When an element is cut or wrong, what came before it is good.
        """
        try:
            yield from self._walk()
        except IndexError:
            raise GobError(_CUT) from None

    def _walk(self) -> Iterator[tuple[int, str, object]]:
        fields = self.element_fields()
        body = self.body
        count, at = read_uint(body, self.types.top(self.type_id, body, self.at))
        for place in range(count):
            index = -1
            while True:
                delta, at = read_uint(body, at)
                if not delta:
                    break
                index += delta
                name, type_id = fields[index]
                inner = self.types[type_id]
                length = 1
                if inner is not None and inner.kind == "slice":
                    length, at = read_uint(body, at)
                    type_id = inner.element
                read = self.types.reader(type_id)
                for _ in range(length):
                    self.types.begin()
                    value, at = read(body, at)
                    yield place, name, value
        if at != len(body):
            raise GobError("bytes after the value")


class GobStream:
    """Bytes in, values out; one for each direction of a connection, or for each file."""

    def __init__(self, message_bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self.types = Types()
        self._message_bytes_max = message_bytes_max
        self._buffer = bytearray()
        self._need = 1
        self._error: GobError | None = None

    @property
    def idle(self) -> bool:
        """True between messages, where a stream can end."""
        return not self._buffer

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[GobValue]:
        """Take bytes; the returned iterator decodes the values that they complete."""
        if self._error is not None:
            raise self._error
        self._buffer += data
        return self._values()

    def unfinished(self) -> GobValue | None:
        """The incomplete value, for `GobValue.walk`; None if there is none."""
        if not self._buffer:
            return None
        try:
            _, at = read_uint(self._buffer, 0)
            type_id, at = read_int(self._buffer, at)
        except (IndexError, GobError):
            return None
        return GobValue(self.types, type_id, self._buffer, at) if type_id > 0 else None

    def _values(self) -> Iterator[GobValue]:
        try:
            while (body := self._whole_body()) is not None:
                value = self._define_or_value(body)
                if value is not None:
                    yield value
        except GobError as error:
            self._error = error
            self._buffer.clear()
            raise

    def _define_or_value(self, body: Buffer) -> GobValue | None:
        try:
            type_id, at = read_int(body, 0)
            if type_id >= 0:
                return GobValue(self.types, type_id, body, at)
            self.types.begin()
            end = self.types.define(-type_id, body, at)
        except IndexError:
            raise GobError("a type definition that is cut") from None
        if end != len(body):
            raise GobError("bytes after a type definition")
        return None

    def _whole_body(self) -> Buffer | None:
        """The next body, without its length; None if it is incomplete."""
        buffer = self._buffer
        if len(buffer) < self._need:
            return None
        if buffer[0] >= 128 and len(buffer) < min(257 - buffer[0], _LENGTH_BYTES_MAX):
            return None
        size, at = read_uint(buffer, 0)
        if not 0 < size <= self._message_bytes_max:
            raise GobError(f"a message of {size:,} bytes; the limit is {self._message_bytes_max:,}")
        end = at + size
        self._need = end
        if len(buffer) < end:
            return None
        self._need = 1
        return self._split(at, end)

    def _split(self, at: int, end: int) -> Buffer:
        """Cut the body out. The smaller part is copied, because a body can be a whole session."""
        buffer = self._buffer
        if end > len(buffer) - end:
            self._buffer = buffer[end:]
            del buffer[end:]
            del buffer[:at]
            return buffer
        body = bytes(buffer[at:end])
        del buffer[:end]
        return body
