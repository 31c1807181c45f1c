"""The types that a gob stream defines, and a compiled reader for each.

A type can refer to another one before that is defined, so readers are compiled when the first
value comes. A type that contains itself, and an interface, which can contain anything, is read one
level deeper, and levels are counted. All other nesting is limited by the height of the types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from am_dbg.ingest.golang.primitives import (
    ZIGZAG,
    Buffer,
    GobError,
    ReadValue,
    read_bool,
    read_bytes,
    read_complex,
    read_float,
    read_int,
    read_text,
    read_uint,
)

TYPES_MAX = 1_024
"""The most types of one stream."""
FIELDS_MAX = 127
"""The most fields of one struct, so that each step to the next sent field is one byte."""
HEIGHT_MAX = 16
"""The deepest nesting of types."""
LEVELS_MAX = 8
"""The deepest nesting of interfaces and types that contain themselves."""
VALUES_MAX = 2**20
"""The most elements of all lists and maps in one value."""

_KEY_BYTES = 8
_CANDIDATES_MAX = 16
_REMEMBERED_BYTES_MAX = 4_096
ALL_REMEMBERED_BYTES_MAX = 256 * 1024
"""The most encoded lists of structs that are cached for each type of a stream."""
_ARRAY_MAX = 2**20

_INT, _UINT, _TEXT, _INTERFACE, _WIRE_TYPE = 2, 3, 6, 8, 16
_FIRST_FREE_ID = 64
_EMPTY: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GobType:
    """One definition; the kind decides which numbers are used."""

    kind: str
    name: str = ""
    key: int = 0
    element: int = 0
    length: int = 0
    fields: tuple[tuple[str, int], ...] = ()


class Boxed(NamedTuple):
    """A value that came in an interface, with the name its type was registered by."""

    type_name: str
    value: object


_BASIC: Mapping[int, ReadValue] = {
    1: read_bool,
    _INT: read_int,
    _UINT: read_uint,
    4: read_float,
    5: read_bytes,
    _TEXT: read_text,
    7: read_complex,
}

# The types that define types; every stream has them from the beginning.
_COMMON = ("CommonType", 18)
_BOOTSTRAP: Mapping[int, GobType] = {
    _WIRE_TYPE: GobType(
        "struct",
        fields=(
            ("array", 17),
            ("slice", 19),
            ("struct", 20),
            ("map", 23),
            ("gob", 24),
            ("binary", 24),
            ("text", 24),
        ),
    ),
    17: GobType("struct", fields=(_COMMON, ("Elem", _INT), ("Len", _INT))),
    18: GobType("struct", fields=(("Name", _TEXT), ("Id", _INT))),
    19: GobType("struct", fields=(_COMMON, ("Elem", _INT))),
    20: GobType("struct", fields=(_COMMON, ("Field", 22))),
    21: GobType("struct", fields=(("Name", _TEXT), ("Id", _INT))),
    22: GobType("slice", element=21),
    23: GobType("struct", fields=(_COMMON, ("Key", _INT), ("Elem", _INT))),
    24: GobType("struct", fields=(_COMMON,)),
}


class Types:
    """The types that a stream has defined; one thread at a time."""

    def __init__(self) -> None:
        self._types = dict(_BOOTSTRAP)
        self._readers = dict(_BASIC)
        self._heights = dict.fromkeys(_BASIC, 0)
        self._compiling: set[int] = set()
        self._values_left = 0
        self._levels_left = 0
        self._readers[_INTERFACE] = self._one_level_deeper(self._read_interface)
        self._heights[_INTERFACE] = 0

    def get(self, type_id: int) -> GobType | None:
        """The definition of a type, None for a basic or undefined one."""
        return self._types.get(type_id)

    def __getitem__(self, type_id: int) -> GobType | None:
        """The definition of a type, None for a basic one."""
        if type_id in _BASIC or type_id == _INTERFACE:
            return None
        found = self._types.get(type_id)
        if found is None:
            raise GobError(f"type {type_id}, which was not defined")
        return found

    @property
    def defined(self) -> int:
        """How many types the stream defined."""
        return len(self._types) - len(_BOOTSTRAP)

    def has_field(self, name: str) -> bool:
        """Whether any struct has such a field."""
        return any(name == field for known in self._types.values() for field, _ in known.fields)

    def begin(self) -> None:
        """Reset the counts of elements and levels, before each value."""
        self._values_left = VALUES_MAX
        self._levels_left = LEVELS_MAX

    def define(self, type_id: int, body: Buffer, at: int) -> int:
        """Read a definition; return the place after it."""
        if type_id < _FIRST_FREE_ID or type_id in self._types:
            raise GobError(f"type {type_id} is defined twice")
        if self.defined >= TYPES_MAX:
            raise GobError(f"more than {TYPES_MAX:,} types")
        wire, at = self.reader(_WIRE_TYPE)(body, at)
        self._types[type_id] = _defined(wire)
        return at

    def reader(self, type_id: int) -> ReadValue:
        """The function that reads values of a type."""
        found = self._readers.get(type_id)
        if found is not None:
            return found
        if type_id in self._compiling:
            return self._one_level_deeper(self._later(type_id))
        definition = self[type_id]
        assert definition is not None
        if len(self._compiling) > HEIGHT_MAX:
            raise GobError(f"types nested deeper than {HEIGHT_MAX}")
        self._compiling.add(type_id)
        try:
            read = self._compiled(definition)
        finally:
            self._compiling.discard(type_id)
        self._heights[type_id] = 1 + max(map(self._height, _parts(definition)), default=0)
        if self._heights[type_id] > HEIGHT_MAX:
            raise GobError(f"types nested deeper than {HEIGHT_MAX}")
        self._readers[type_id] = read
        return read

    def _later(self, type_id: int) -> ReadValue:
        """The reader of a type that is still being compiled."""

        def read(body: Buffer, at: int) -> tuple[object, int]:
            return self._readers[type_id](body, at)

        return read

    def _height(self, type_id: int) -> int:
        """The reader of a type that contains itself; it counts levels."""
        return self._heights.get(type_id, 0)

    def _compiled(self, definition: GobType) -> ReadValue:
        match definition.kind:
            case "struct":
                fields = tuple((name, self.reader(inner)) for name, inner in definition.fields)
                return _struct_reader(fields)
            case "slice":
                read = self._list_reader(definition.element)
                element = self._types.get(definition.element)
                return read if element is None or element.kind != "struct" else _remembered(read)
            case "array":
                return self._array_reader(definition)
            case "map":
                return self._map_reader(definition)
            case _:
                return read_bytes

    def _count(self, body: Buffer, at: int) -> tuple[int, int]:
        """The number of elements that follow: each has at least a byte, and all have a limit."""
        count, at = read_uint(body, at)
        if count > len(body) - at:
            raise GobError("a list longer than its message")
        self._values_left -= count
        if self._values_left < 0:
            raise GobError(f"more than {VALUES_MAX:,} elements in one value")
        return count, at

    def _list_reader(self, element: int) -> ReadValue:
        read_element = self.reader(element)
        small: Mapping[int, Callable[[Buffer], tuple[int, ...]]] = {
            _UINT: tuple,
            _INT: lambda body: tuple([ZIGZAG[number] for number in body]),
        }
        read_small = small.get(element)
        count_of = self._count

        def read_list(body: Buffer, at: int) -> tuple[object, int]:
            count, at = count_of(body, at)
            if read_small is not None:
                numbers = body[at : at + count]
                if numbers.isascii():  # each number is one byte
                    return read_small(numbers), at + count
            values = []
            for _ in range(count):
                value, at = read_element(body, at)
                values.append(value)
            return tuple(values), at

        return read_list

    def _array_reader(self, definition: GobType) -> ReadValue:
        read_list = self._list_reader(definition.element)

        def read_array(body: Buffer, at: int) -> tuple[object, int]:
            if read_uint(body, at)[0] != definition.length:
                raise GobError("an array of another length than its type")
            return read_list(body, at)

        return read_array

    def _map_reader(self, definition: GobType) -> ReadValue:
        if definition.key not in _BASIC:
            raise GobError("a map whose keys are no basic values")
        read_key = self.reader(definition.key)
        read_element = self.reader(definition.element)

        def read_map(body: Buffer, at: int) -> tuple[object, int]:
            count, at = self._count(body, at)
            values = {}
            for _ in range(count):
                key, at = read_key(body, at)
                values[key], at = read_element(body, at)
            return values, at

        return read_map

    def _one_level_deeper(self, read: ReadValue) -> ReadValue:
        def read_deeper(body: Buffer, at: int) -> tuple[object, int]:
            if self._levels_left == 0:
                raise GobError(f"values nested deeper than {LEVELS_MAX}")
            self._levels_left -= 1
            value, at = read(body, at)
            self._levels_left += 1
            return value, at

        return read_deeper

    def _read_interface(self, body: Buffer, at: int) -> tuple[object, int]:
        """Name, definitions not sent before, type, length, value."""
        name, at = read_text(body, at)
        if not name:
            return None, at
        type_id, at = read_int(body, at)
        while type_id < 0:
            at = self.define(-type_id, body, at)
            _, at = read_uint(body, at)  # the length of the message that follows
            type_id, at = read_int(body, at)
        length, at = read_uint(body, at)
        value, end = self.read_top(type_id, body, at)
        if end != at + length:
            raise GobError("an interface whose length is wrong")
        return Boxed(name, value), end

    def read_top(self, type_id: int, body: Buffer, at: int) -> tuple[object, int]:
        """A value on its own; a zero byte comes before it, unless it is a struct."""
        return self.reader(type_id)(body, self.top(type_id, body, at))

    def top(self, type_id: int, body: Buffer, at: int) -> int:
        """The beginning of the value, after the zero byte if there is one."""
        definition = self[type_id]
        if definition is not None and definition.kind == "struct":
            return at
        if body[at] != 0:
            raise GobError("no zero byte before a value that is no struct")
        return at + 1


def _remembered(read: ReadValue) -> ReadValue:
    """Lists of structs repeat: steps, log lines. Bytes that begin with all those of a value
    read before can only mean that value again, so it is found without being read, and is
    the same object.
    """
    known: dict[bytes, list[tuple[bytes, object]]] = {}
    remembered = 0

    def read_or_remember(body: Buffer, at: int) -> tuple[object, int]:
        nonlocal remembered
        candidates = known.setdefault(bytes(body[at : at + _KEY_BYTES]), [])
        for place, (raw, value) in enumerate(candidates):
            if body.startswith(raw, at):
                if place:
                    candidates.insert(0, candidates.pop(place))
                return value, at + len(raw)
        value, end = read(body, at)
        if end - at <= _REMEMBERED_BYTES_MAX:
            candidates.insert(0, (bytes(body[at:end]), value))
            del candidates[_CANDIDATES_MAX:]
            remembered += end - at
            if remembered > ALL_REMEMBERED_BYTES_MAX:
                known.clear()
                remembered = 0
        return value, end

    return read_or_remember


def _parts(definition: GobType) -> tuple[int, ...]:
    match definition.kind:
        case "struct":
            return tuple(inner for _, inner in definition.fields)
        case "slice" | "array" | "map":
            return (definition.element,)
        case _:
            return ()


def _struct_reader(fields: tuple[tuple[str, ReadValue], ...]) -> ReadValue:
    def read_struct(body: Buffer, at: int) -> tuple[object, int]:
        delta = body[at]
        at += 1
        if delta == 0:
            return _EMPTY, at
        values: dict[str, object] = {}
        index = -1
        while delta:
            index += delta  # more than 127 names no field
            name, read = fields[index]
            values[name], at = read(body, at)
            delta = body[at]
            at += 1
        return values, at

    return read_struct


def _defined(wire: Any) -> GobType:
    """The definition in a value of the type of types, whose fields are of known types."""
    if len(wire) != 1:
        raise GobError("a type that is not of one kind")
    kind, body = next(iter(wire.items()))
    name = body.get("CommonType", _EMPTY).get("Name", "")
    if kind == "struct":
        return GobType(kind, name, fields=_fields(body.get("Field", ())))
    length = body.get("Len", 0)
    if not 0 <= length <= _ARRAY_MAX:
        raise GobError("an array of impossible length")
    return GobType(kind, name, body.get("Key", 0), body.get("Elem", 0), length)


def _fields(fields: tuple[Mapping[str, Any], ...]) -> tuple[tuple[str, int], ...]:
    found = tuple((field.get("Name", ""), field.get("Id", 0)) for field in fields)
    if len(found) > FIELDS_MAX:
        raise GobError(f"a struct of more than {FIELDS_MAX} fields")
    if len({name for name, _ in found}) != len(found):
        raise GobError("a struct with two fields of one name")
    return found
