"""Two histories are aligned by what their transitions called."""

from __future__ import annotations

from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_dbg.query import alignment
from am_dbg.query.alignment import Block, BlockKind, align
from am_dbg.query.signatures import SignedHistory

SAME, CHANGED, OTHER, REST = BlockKind


def history(text: str) -> SignedHistory:
    """A letter per transition; an upper case letter calls the same and ends differently."""
    outcomes = array("I", map(ord, text))
    calls = array("I", map(ord, text.lower()))
    return SignedHistory(array("I", range(1, len(text) + 1)), calls, outcomes)


def stretches(one: str, other: str) -> list[tuple[BlockKind, str, str]]:
    return [
        (
            block.kind,
            one[block.one : block.one + block.one_len],
            other[block.other : block.other + block.other_len],
        )
        for block in align(history(one), history(other))
    ]


def test_equal_histories_are_one_stretch() -> None:
    """Histories without a difference are the same from start to end."""
    assert stretches("abcdef" * 50, "abcdef" * 50) == [(SAME, "abcdef" * 50, "abcdef" * 50)]


def test_another_outcome_of_the_same_call_is_a_change() -> None:
    """Transitions that call the same belong together, however they ended."""
    assert stretches("abcdef", "abCdef") == [
        (SAME, "ab", "ab"),
        (CHANGED, "c", "C"),
        (SAME, "def", "def"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "left", "right"),
    [
        ("abxyzwpq", "ab1xyzwpq", "", "1"),
        ("ab12xyzwpq", "abxyzwpq", "12", ""),
        ("ab12xyzwpq", "ab3xyzwpq", "12", "3"),
    ],
)
def test_histories_are_together_again_after_a_difference(
    one: str, other: str, left: str, right: str
) -> None:
    """What only one side did is skipped up to the nearest place where both go on alike."""
    found = stretches(one, other)

    assert found[0] == (SAME, "ab", "ab")
    assert found[1] == (OTHER, left, right)
    assert found[2][0] is SAME
    assert len(found) == 3


def test_a_history_that_ends_earlier_differs_at_its_end() -> None:
    """The rest of the longer history is a difference."""
    assert stretches("abc", "abcdef") == [(SAME, "abc", "abc"), (OTHER, "", "def")]


def test_near_the_end_a_single_equal_call_is_enough() -> None:
    """The last transitions are too few for a run."""
    assert stretches("abz", "abxz") == [(SAME, "ab", "ab"), (OTHER, "", "x"), (SAME, "z", "z")]


def test_a_long_stretch_of_one_side_is_skipped() -> None:
    """The window grows until both are together again."""
    extra = "0123456789" * 100
    found = stretches("ab" + extra + "xyzw", "abxyzw")

    assert found == [(SAME, "ab", "ab"), (OTHER, extra, ""), (SAME, "xyzw", "xyzw")]


def test_the_search_for_an_equal_run_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories without anything in common are skipped a window at a time."""
    monkeypatch.setattr(alignment, "WINDOW_MAX", 16)
    found = stretches("a" * 40, "b" * 40)

    assert [len(left) for _, left, _ in found] == [16, 16, 8]
    assert {kind for kind, _, _ in found} == {OTHER}


def test_after_many_stretches_the_rest_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit everything is compared; one stretch more, and the rest is one stretch."""
    one, other = "aBcDe", "abcde"
    monkeypatch.setattr(alignment, "BLOCKS_MAX", 5)
    assert stretches(one, other)[-1] == (SAME, "e", "e")

    monkeypatch.setattr(alignment, "BLOCKS_MAX", 4)

    assert stretches(one, other)[-1] == (REST, "e", "e")


@given(st.text("abcABC", max_size=60), st.text("abcABC", max_size=60))
def test_stretches_cover_both_histories(one: str, other: str) -> None:
    """Stretches follow each other without holes, and no stretch is empty."""
    blocks = align(history(one), history(other))
    ends = [(block.one + block.one_len, block.other + block.other_len) for block in blocks]

    assert [(block.one, block.other) for block in blocks[1:]] == ends[:-1]
    assert not blocks or ends[-1] == (len(one), len(other))
    assert all(block.rows for block in blocks)
    for block in blocks:
        if block.is_same:
            end = block.other + block.other_len
            assert one[block.one : block.one + block.one_len] == other[block.other : end]


@given(st.text("abcABC", max_size=60), st.text("abcABC", max_size=60))
def test_neighbours_are_never_both_the_same(one: str, other: str) -> None:
    """A stretch of equal transitions is as long as it can be."""
    blocks = align(history(one), history(other))

    assert not any(left.is_same and right.is_same for left, right in pairwise(blocks))


def test_rows_are_those_of_the_longer_side() -> None:
    """Side by side, a stretch is as high as its longer side."""
    assert Block(OTHER, 0, 0, 2, 5).rows == 5
