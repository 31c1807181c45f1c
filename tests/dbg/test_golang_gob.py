"""Gob streams are read by the names they define, and never bring another error than one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.ingest.golang.gob import MESSAGE_BYTES_MAX, GobStream
from am_dbg.ingest.golang.gob_types import (
    ALL_REMEMBERED_BYTES_MAX,
    FIELDS_MAX,
    HEIGHT_MAX,
    LEVELS_MAX,
    TYPES_MAX,
    VALUES_MAX,
    Boxed,
)
from am_dbg.ingest.golang.primitives import GobError, read_uint
from tests.dbg.golang_bytes import (
    BOOL,
    BYTES,
    COMPLEX,
    FLOAT,
    INT,
    INTERFACE,
    TEXT,
    UINT,
    array_of,
    int_,
    map_of,
    message,
    slice_of,
    struct_of,
    text,
    uint,
)
from tests.dbg.golang_history import SESSION, as_json, live, session_expected

PLAIN = brotli.decompress(SESSION.read_bytes())
DIRECTIONS = (
    "parent",
    "parent-reply",
    "child",
    "child-reply",
    "schemachange",
    "schemachange-reply",
)


TWICE = struct_of(70, "", x=INT, y=INT).replace(b"y", b"x")[3:]
"""The body of a definition."""


def values(data: bytes, **options: int) -> list[object]:
    return [value.decode() for value in GobStream(**options).feed(data)]


def value(data: bytes) -> object:
    (only,) = values(data)
    return only


@pytest.mark.parametrize("name", DIRECTIONS)
def test_recorded_connections_decode_to_the_last_value(name: str) -> None:
    """Every request, response and body is what another decoder found."""
    stream = GobStream()

    assert [as_json(value.decode()) for value in stream.feed(live(name)["bytes"])] == live(name)[
        "values"
    ]


@pytest.mark.parametrize("name", DIRECTIONS)
def test_values_come_as_soon_as_their_last_byte_has(name: str) -> None:
    """Fed one byte at a time, each value comes at the place where it ends."""
    recorded, stream = live(name), GobStream()
    ends = [
        at
        for at in range(1, len(recorded["bytes"]) + 1)
        for _ in stream.feed(recorded["bytes"][at - 1 : at])
    ]

    assert ends == recorded["ends"]
    assert stream.idle


def test_a_recorded_session_decodes_to_the_last_value() -> None:
    """The one value of a session file is what another decoder found."""
    assert as_json(value(PLAIN)) == session_expected()["clients"]


def test_definitions_are_known_by_number_name_and_kind() -> None:
    """The types of a recorded session are those another decoder found."""
    stream = GobStream()
    (session,) = stream.feed(PLAIN)

    for expected in session_expected()["types"]:
        known = stream.types[expected["id"]]
        assert known is not None
        assert known.name == expected["common"]["Name"]
        assert [list(field) for field in known.fields] == expected.get("fields", [])
    assert stream.types.defined == len(session_expected()["types"])
    assert session.type_name == ""


def test_walking_a_list_gives_the_same_as_decoding_it() -> None:
    """Machines and transitions come one by one, equal to those of the whole value."""
    (session,) = GobStream().feed(PLAIN)
    clients: list[dict[str, object]] = [{}, {}]
    for place, name, one in session.walk():
        if name == "MsgTxs":
            clients[place].setdefault(name, []).append(as_json(one))  # type: ignore[attr-defined]
        else:
            clients[place][name] = as_json(one)

    assert clients == session_expected()["clients"]


def test_what_is_unfinished_can_be_walked_up_to_its_break() -> None:
    """Of a cut session everything before the cut comes, then the one error."""
    stream = GobStream()
    assert list(stream.feed(PLAIN[:-3_000])) == []
    unfinished = stream.unfinished()
    assert unfinished is not None
    names: list[str] = []

    with pytest.raises(GobError):
        names.extend(name for _, name, _ in unfinished.walk())

    assert names[0] == "MsgStruct"
    assert 20 < names.count("MsgTxs") < 33


@pytest.mark.parametrize(
    ("type_id", "body", "meant"),
    [
        (BOOL, b"\x01", True),
        (INT, b"\x05", -3),
        (INT, b"\xfe\xff\xff", -32768),
        (UINT, b"\xf8" + b"\xff" * 8, 2**64 - 1),
        (FLOAT, b"\xfe\x31\x40", 17.0),
        (BYTES, b"\x02\x00\xff", b"\x00\xff"),
        (TEXT, b"\x05Zo\xc3\xab!", "Zoë!"),
        (TEXT, b"\x02\xff!", "�!"),
        (COMPLEX, b"\xfe\x31\x40\xfe\x31\x40", 17 + 17j),
        (INTERFACE, b"\0", None),
        (INTERFACE, b"\x03int\x04\x02\x00\x0e", Boxed("int", 7)),
    ],
)
def test_basic_values(type_id: int, body: bytes, meant: object) -> None:
    """Numbers are short when they are small; text that is no UTF-8 shows as a mark."""
    assert value(message(type_id, b"\0" + body)) == meant


def test_lists_maps_and_arrays() -> None:
    """Collections come as tuples and mappings, whatever size their numbers have."""
    numbers = slice_of(70, INT) + message(70, b"\0\x03" + int_(1) + int_(-70) + int_(500))
    small = slice_of(70, UINT) + message(70, b"\0\x02\x07\x08")
    array = array_of(70, BOOL, 2) + message(70, b"\0\x02\x01\x00")
    mapping = map_of(70, TEXT, INT) + message(70, b"\0\x01\x01a\x04")

    assert value(numbers) == (1, -70, 500)
    assert value(small) == (7, 8)
    assert value(array) == (True, False)
    assert value(mapping) == {"a": 2}


def test_fields_are_known_by_name_and_missing_ones_are_left_out() -> None:
    """A struct is a mapping of what was sent; zero is not sent."""
    defined = struct_of(70, "Point", x=INT, y=INT, label=TEXT)

    assert value(defined + message(70, b"\x02\x06\x01\x01a\0")) == {"y": 3, "label": "a"}
    assert value(defined + message(70, b"\0")) == {}


def test_a_list_of_structs_that_comes_again_is_the_same_object() -> None:
    """Steps and log lines repeat, so they are read once and found by their bytes."""
    types = struct_of(70, "Step", Type=INT, To=TEXT) + slice_of(71, 70)
    first = message(71, b"\0\x02\x01\x02\x01\x01a\0\x01\x04\0")
    other = message(71, b"\0\x02\x01\x02\x01\x01a\0\x01\x06\0")

    one, two, again = values(types + first + other + first)

    assert one == ({"Type": 1, "To": "a"}, {"Type": 2})
    assert two == ({"Type": 1, "To": "a"}, {"Type": 3})
    assert again is one


def test_lists_that_never_repeat_are_forgotten_again() -> None:
    """What is remembered for a stream has a limit, and reading goes on past it."""
    types = struct_of(70, "Line", Text=TEXT) + slice_of(71, 70)
    texts = [f"{number:04d}" * 200 for number in range(2 * ALL_REMEMBERED_BYTES_MAX // 800)]
    reported = b"".join(message(71, b"\0\x01\x01" + text(line) + b"\0") for line in texts)

    assert values(types + reported) == [({"Text": line},) for line in texts]


def test_types_may_be_defined_within_an_interface() -> None:
    """An interface may bring a type the stream did not have yet."""
    inner = b"\x02\x01\x02" + int_(90) + b"\0\x01" + int_(INT) + b"\0\0"
    content = b"\0\x01\x04"
    body = text("pkg.List") + int_(-90) + inner + uint(0) + int_(90) + uint(len(content)) + content

    assert value(message(INTERFACE, b"\0" + body)) == Boxed("pkg.List", (2,))


def test_a_type_may_hold_itself_but_not_without_end() -> None:
    """Values of a type that holds itself are read up to the limit of levels."""
    tree = slice_of(70, 70)

    def nested(depth: int) -> bytes:
        return tree + message(70, b"\0" + b"\x01" * depth + b"\0")

    assert value(nested(LEVELS_MAX)) is not None
    with pytest.raises(GobError, match="nested deeper"):
        value(nested(LEVELS_MAX + 1))


def test_types_within_types_have_a_limit() -> None:
    """Lists of lists are read up to the limit of height."""

    def tower(height: int) -> bytes:
        types = slice_of(70, INT) + b"".join(slice_of(70 + n, 69 + n) for n in range(1, height))
        return types + message(69 + height, b"\0\0")

    assert value(tower(HEIGHT_MAX)) == ()
    with pytest.raises(GobError, match="nested deeper"):
        value(tower(HEIGHT_MAX + 1))


def test_a_height_grown_step_by_step_counts_as_a_whole() -> None:
    """A type over types that were read before is as high as all of them."""
    data = slice_of(70, INT)
    for number in range(71, 71 + HEIGHT_MAX):
        data += slice_of(number, number - 1) + message(number, b"\0\0")

    with pytest.raises(GobError, match="nested deeper"):
        values(data)


def test_types_and_fields_have_limits() -> None:
    """So many types and fields are taken, and not one more."""
    types = b"".join(slice_of(64 + number, INT) for number in range(TYPES_MAX))
    wide = {f"f{number}": INT for number in range(FIELDS_MAX + 1)}
    allowed = dict(list(wide.items())[:-1])

    assert values(types) == []
    with pytest.raises(GobError, match="types"):
        values(types + slice_of(64 + TYPES_MAX, INT))
    assert values(struct_of(70, "", **allowed)) == []
    with pytest.raises(GobError, match="fields"):
        values(struct_of(70, "", **wide))


def test_a_message_has_a_limit_before_it_is_kept() -> None:
    """The announced length is refused, not the memory spent."""
    body = b"\0" + uint(96) + b"x" * 96

    assert value(message(BYTES, body)) == b"x" * 96
    assert values(message(BYTES, body), message_bytes_max=len(body) + 1) == [b"x" * 96]
    with pytest.raises(GobError, match="a message of"):
        values(message(BYTES, body), message_bytes_max=len(body))
    with pytest.raises(GobError, match=f"limit is {MESSAGE_BYTES_MAX:,}"):
        values(uint(2**62))


def test_the_elements_of_a_value_have_a_limit() -> None:
    """Lists of one byte each cannot be used to fill the memory."""
    data = slice_of(70, BOOL) + slice_of(71, 70)
    inner = uint(VALUES_MAX // 4) + b"\1" * (VALUES_MAX // 4)

    with pytest.raises(GobError, match="elements"):
        value(data + message(71, b"\0\x05" + inner * 4))
    with pytest.raises(GobError, match="longer than its message"):
        value(slice_of(70, BOOL) + message(70, b"\0" + uint(1_000) + b"\1"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0", id="empty message"),
        pytest.param(message(99, b"\0\0"), id="undefined type"),
        pytest.param(slice_of(70, 99) + message(70, b"\0\0"), id="undefined element"),
        pytest.param(slice_of(70, INT) * 2, id="defined twice"),
        pytest.param(message(-5, b"\x02\x01\0\0"), id="basic type defined"),
        pytest.param(message(-70, b"\0"), id="no kind"),
        pytest.param(message(-70, b"\x02\x02\x04\0\0x"), id="bytes after a definition"),
        pytest.param(message(-70, b"\x02\x02\x04"), id="definition without an end"),
        pytest.param(array_of(70, INT, -1), id="array of impossible length"),
        pytest.param(message(-70, TWICE), id="two fields of one name"),
        pytest.param(struct_of(70, "", x=INT) + message(70, b"\x09\x02\0"), id="unknown field"),
        pytest.param(struct_of(70, "", x=INT) + message(70, b"\x01\x02"), id="no end"),
        pytest.param(message(INT, b"\x02"), id="no zero byte"),
        pytest.param(message(INT, b"\0\x02\x02"), id="bytes after"),
        pytest.param(message(TEXT, b"\0\x05abc"), id="short text"),
        pytest.param(message(UINT, b"\0\xf8\1"), id="short number"),
        pytest.param(message(UINT, b"\0\xf7" + b"\1" * 9), id="long number"),
        pytest.param(map_of(70, INTERFACE, INT) + message(70, b"\0\0"), id="odd keys"),
        pytest.param(array_of(70, INT, 3) + message(70, b"\0\x01\0"), id="odd array"),
        pytest.param(message(INTERFACE, b"\0\x03int\x04\x09\x00\x0e"), id="odd interface"),
    ],
)
def test_what_is_no_gob_is_one_error(data: bytes) -> None:
    """Whatever is wrong is reported as the one error of this reader."""
    with pytest.raises(GobError):
        values(data)


def test_a_failed_stream_stays_failed() -> None:
    """After an error the place of the next message is not known."""
    stream = GobStream()
    with pytest.raises(GobError):
        list(stream.feed(b"\0"))

    with pytest.raises(GobError):
        stream.feed(message(INT, b"\0\x02"))


def outcomes(data: bytes, step: int) -> Iterator[object]:
    """What comes of the bytes, fed in pieces."""
    stream = GobStream()
    for at in range(0, len(data), step):
        for found in stream.feed(data[at : at + step]):
            yield as_json(found.decode())


def attempt(data: bytes, step: int) -> tuple[list[object], bool]:
    got: list[object] = []
    try:
        got.extend(outcomes(data, step))
    except GobError:
        return got, True
    return got, False


@given(st.binary(max_size=300))
def test_any_bytes_give_values_or_one_error(data: bytes) -> None:
    """Whole or one by one, the values are the same and so is the end."""
    assert str(attempt(data, 1)) == str(attempt(data, max(1, len(data))))


@given(st.data())
def test_a_damaged_stream_gives_values_or_one_error(data: st.DataObject) -> None:
    """Recorded streams with some bytes changed never bring another error."""
    recorded = bytearray(live(data.draw(st.sampled_from(["child", "child-reply"])))["bytes"])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(recorded) - 1))
        recorded[at] = data.draw(st.integers(0, 255))

    whole = attempt(bytes(recorded), len(recorded))

    assert str(whole) == str(attempt(bytes(recorded), 7))


@given(st.data())
def test_a_damaged_session_is_walked_or_one_error(data: st.DataObject) -> None:
    """Whatever the bytes of the value are, its elements come or the one error does."""
    recorded = bytearray(PLAIN[:3_000])
    at = data.draw(st.integers(0, len(recorded) - 1))
    recorded[at] = data.draw(st.integers(0, 255))
    stream = GobStream()
    try:
        found = list(stream.feed(bytes(recorded)))
        one = found[0] if found else stream.unfinished()
        walked = list(one.walk()) if one is not None else []
    except GobError:
        return

    assert all(isinstance(inner, Mapping) for _, _, inner in walked)


@given(st.integers(0, 2**64 - 1))
def test_numbers_of_any_size_read_back(number: int) -> None:
    """One byte below 128, up to nine for the largest."""
    assert read_uint(uint(number), 0) == (number, len(uint(number)))
