"""Arguments become short texts, without running code of the program."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import pathlib
import sys
import tracemalloc
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtracer.safe_repr.arg_text import DEPTH_MAX, ITEMS_MAX, TEXT_CHARS_MAX, arg_text, arg_texts


class Color(enum.Enum):
    RED = 1

    def __str__(self) -> str:
        raise AssertionError


class Level(enum.IntEnum):
    HIGH = 3


class Hostile:
    """Every way in which a class could run code when it is shown."""

    def __repr__(self) -> str:
        raise AssertionError

    __str__ = __format__ = __len__ = __iter__ = __getattr__ = __hash__ = __repr__  # type: ignore[assignment,misc]


class Mapping(dict[str, Any]):
    def items(self) -> Any:
        raise AssertionError


class Text(str):
    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        raise AssertionError

    def __repr__(self) -> str:
        raise AssertionError


class Number(int):
    def __repr__(self) -> str:
        raise AssertionError


class FailedError(ValueError):
    def __str__(self) -> str:
        raise AssertionError


@dataclass
class Point:
    x: int


def shared(depth: int) -> list[Any]:
    """A graph in which each level holds the next one twice."""
    graph: list[Any] = []
    for _ in range(depth):
        graph = [graph, graph]
    return graph


def circle() -> dict[str, Any]:
    around: dict[str, Any] = {}
    around["me"] = around
    return around


SHOWN: list[tuple[object, str]] = [
    (None, "None"),
    (True, "True"),
    (1, "1"),
    (-1.5, "-1.5"),
    (math.nan, "nan"),
    (-math.inf, "-inf"),
    (2**64, str(2**64)),
    (2**1_000, "<int of 1,001 bits>"),
    ("a'b\n", '"a\'b\\n"'),
    ("\udc80", "'\\udc80'"),
    (b"\x00a", "b'\\x00a'"),
    (b"x" * 200_000, "b'" + "x" * 50 + "'… (200,000 bytes)"),
    ([1, "a", None], "[1, 'a', None]"),
    ((1,), "(1)"),
    ({1}, "{1}"),
    (frozenset({1}), "frozenset({1})"),
    ({"a": [1]}, "{'a': [1]}"),
    (list(range(10)), "[0, 1, 2, 3, 4, 5, 6, 7, … 2 more]"),
    (dict.fromkeys(range(100_000), 0), None),  # type: ignore[list-item]
    ([[[[1]]]], "[[[…]]]"),
    (Color.RED, "Color.RED"),
    (Level.HIGH, "Level.HIGH"),
    (Number(5), "5"),
    (Text("abc"), "'abc'"),
    (Mapping(a=1), "<Mapping>"),
    (Hostile(), "<Hostile>"),
    (Hostile, "<class Hostile>"),
    (Point(1), "Point(x=1)"),
    (ValueError("no", 2), "ValueError('no', 2)"),
    (FailedError("no"), "FailedError('no')"),
    (decimal.Decimal("1.5"), "Decimal(1.5)"),
    (dt.date(2024, 2, 3), "date(2024-02-03)"),
    (dt.timedelta(hours=1), "timedelta(1:00:00)"),
    (dt.time(4, 5), "time(04:05:00)"),
    (dt.datetime(2024, 2, 3, tzinfo=dt.UTC), "datetime(2024-02-03 00:00:00+00:00)"),
    (uuid.UUID(int=1), "UUID(00000000-0000-0000-0000-000000000001)"),
    (pathlib.PurePosixPath("a/b"), "PurePosixPath(a/b)"),
    (circle, "<function circle>"),
    (len, "<builtin_function_or_method len>"),
    (math, "<module math>"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=lambda value: type(value).__name__)
def test_a_value_has_a_short_text(value: object, text: str | None) -> None:
    """Plain values are shown, objects of the program by their class only."""
    if text is not None:
        assert arg_text(value) == text
    assert len(arg_text(value)) <= TEXT_CHARS_MAX


def test_a_text_is_cut_at_its_limit() -> None:
    """As many characters as allowed, then how many there are."""
    assert arg_text("x" * (TEXT_CHARS_MAX - 2)) == "'" + "x" * (TEXT_CHARS_MAX - 2) + "'"
    assert arg_text("x" * (TEXT_CHARS_MAX - 1)).endswith("x… (199 characters)")
    assert arg_text("\n" * TEXT_CHARS_MAX).endswith("… (200 characters)")
    assert len(arg_text("x" * 10**6)) == TEXT_CHARS_MAX


def test_a_circle_ends() -> None:
    """What contains itself is shown as deep as anything else."""
    assert arg_text(circle()) == "{'me': {'me': {'me': …}}}"


def test_a_deep_graph_is_not_expanded() -> None:
    """Forty levels, each twice, would be a million million items."""
    assert arg_text(shared(40)) == arg_text(shared(DEPTH_MAX + 1))


def test_a_huge_value_is_not_copied() -> None:
    """A text of 50 MB takes no 50 MB more to be shown."""
    values: list[object] = [b"x" * 50_000_000, "x" * 50_000_000, [0] * 5_000_000]
    tracemalloc.start()
    try:
        for value in values:
            arg_text(value)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_work_for_one_value_is_bounded() -> None:
    """However wide and deep it is, so many calls are made for it and no more."""
    most = [[["x" * 10**6] * 10**4] * 10**4] * 10**4
    counted = 0

    def watch(_frame: object, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(watch)
    try:
        arg_text(most)
    finally:
        sys.setprofile(None)

    assert counted < 10 * ITEMS_MAX**DEPTH_MAX


def test_as_many_items_as_allowed_are_shown() -> None:
    """At the limit nothing is left out, one past it is counted."""
    assert "more" not in arg_text(list(range(ITEMS_MAX)))
    assert "… 1 more" in arg_text(list(range(ITEMS_MAX + 1)))


def test_a_class_that_only_claims_to_be_known_is_not_trusted() -> None:
    """A class of the program with the name of a known one is shown as a class."""

    class UUID:
        def __str__(self) -> str:
            raise AssertionError

    for module in ("uuid", "none", ["uuid"]):
        UUID.__module__ = module  # type: ignore[assignment]
        assert arg_text(UUID()) == "<UUID>"


def test_a_time_zone_of_the_host_is_not_asked() -> None:
    """A moment with a time zone class of the program is shown by its class."""

    class Zone(dt.tzinfo):
        def utcoffset(self, moment: object) -> dt.timedelta:
            raise AssertionError

        tzname = dst = utcoffset  # type: ignore[assignment]

        def __repr__(self) -> str:
            raise AssertionError

    moment = dt.datetime(2024, 2, 3, tzinfo=Zone())

    assert arg_text(moment) == "<datetime>"


def test_arguments_keep_their_order() -> None:
    """Keys and texts in the order they were given, keys of any kind as text."""
    assert arg_texts({"b": 1, "a": "x"}) == (("b", "1"), ("a", "'x'"))


@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary()),
        lambda inner: st.one_of(
            st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner, inner)
        ),
    )
)
def test_any_value_has_a_text(value: object) -> None:
    """Whatever it is, there is a text and it is short."""
    assert 0 < len(arg_text(value)) <= TEXT_CHARS_MAX
