"""Text from other programs, and text in cells: whatever comes, rows stay whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from am_dbg.drawing.rain import CELL, draw_rain
from am_dbg.projection.clean import CHARS_MAX, clean, clean_lines, clean_name
from am_dbg.projection.grids.rain import RainView
from am_dbg.projection.times import count, duration, ordinal, second_time, signed_duration
from am_dbg.spans import Role, Span, cut, fit, left, right, spread, width_of_spans, wrap

HOSTILE = (
    "[red]x[/red] [/] [@click=app.quit]x[/] [link=http://a]b[/link]",
    "\x1b[2J\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[6n",
    "\x9b2J \x9d0;t\x9c \x07\x08\r",
    "\u202egnp.exe\u2066x\u2069\u200b\ufeff\u00ad",
    "漢字 👩‍👩‍👧‍👦 ❤️ é ﷺ عربى",
    "\ud800 broken",
    "a\tb\nc\r\nd",
)
texts = st.text() | st.sampled_from(HOSTILE)
spans = st.lists(st.builds(Span, texts.map(clean), st.sampled_from(list(Role))), max_size=5)
widths = st.integers(1, 60)


@given(texts)
def test_no_text_from_outside_can_act_on_the_terminal(text: str) -> None:
    """Cleaned text holds printable characters only."""
    for row in (clean(text), *clean_lines(text)):
        assert row.isprintable()


@given(texts)
def test_cleaning_clean_text_changes_nothing(text: str) -> None:
    """A clean text stays as it is."""
    assert clean(clean(text)) == clean(text)


def test_markup_is_shown_literally() -> None:
    """Square brackets are data, never an instruction."""
    assert clean(HOSTILE[0]) == HOSTILE[0]


def test_what_terminals_draw_at_different_widths_is_taken_apart() -> None:
    """Parts of an emoji that some terminals join and others do not shift no column."""
    assert clean("\u2764\ufe0f") == "\u2764"
    assert clean("\U0001f44d\U0001f3fd") == "\U0001f44d\\U0001f3fd"
    assert clean("\U0001f468\u200d\U0001f467") == "\U0001f468\\u200d\U0001f467"


@given(texts)
def test_the_width_of_a_text_is_that_of_its_characters(text: str) -> None:
    """No character changes the width of its neighbours, however a terminal joins them."""
    assert cell_len(clean(text)) == sum(cell_len(char) for char in clean(text))


def test_a_name_of_spaces_is_quoted() -> None:
    """A name is seen, even one that is empty."""
    assert [clean_name(name) for name in ("", " ", "a b")] == ["''", "' '", "a b"]


def test_a_text_of_any_length_is_cut_for_a_row() -> None:
    """A line of megabytes costs what a row costs."""
    assert len(clean("x" * 5_000_000)) == CHARS_MAX + 1
    assert len(clean_lines("row\n" * 100_000)) <= 201


def test_a_trace_is_broken_at_its_own_line_ends() -> None:
    """SpanLine ends of either kind begin a new row, tabs become spaces."""
    assert clean_lines("a\n\tb\r\nc\n") == ["a", "    b", "c"]


@given(texts.map(clean), widths)
def test_a_cut_text_fits_its_width(text: str, width: int) -> None:
    """Cutting never splits a wide character over the edge."""
    assert cell_len(cut(text, width)) <= width
    assert cell_len(left(text, width)) == cell_len(right(text, width)) == width


@given(spans, widths)
def test_fitted_runs_have_exactly_the_width(row: list[Span], width: int) -> None:
    """A row is as wide as its pane, whatever it shows."""
    assert width_of_spans(fit(row, width)) == width


@given(spans, spans, widths)
def test_both_sides_of_a_row_share_the_width(
    head: list[Span], tail: list[Span], width: int
) -> None:
    """The right side never pushes the row over its width."""
    assert width_of_spans(spread(head, tail, width)) == width


@given(spans, st.integers(2, 30))
def test_wrapped_rows_lose_no_word(row: list[Span], width: int) -> None:
    """Wrapping drops spaces at line ends and nothing else."""
    rows = wrap(row, width)

    assert all(width_of_spans(part) <= width for part in rows)
    before = "".join(span.text for span in row).replace(" ", "")
    after = "".join(span.text for part in rows for span in part).replace(" ", "")
    assert after == before


def test_a_cut_text_ends_with_a_mark() -> None:
    """Missing items are counted."""
    assert cut("ProcessingFile", 8) == "Process…"


def test_accents_take_no_room() -> None:
    """What fits is not cut, however many characters it is written with."""
    assert cut("e\u0301" * 8, 8) == "e\u0301" * 8
    assert len(cut("e" + "\u0301" * 10_000, 8)) < 100


def test_names_above_the_rain_stand_over_their_columns() -> None:
    """A wide letter takes both cells of its column, an accent stays with its letter."""
    view = RainView(names=("\u72b6\u614b", "e\u0301a", "XY"))

    for row, letter in zip(draw_rain(view, 40, 9), "XY", strict=True):
        before = row.text.partition(letter)[0]
        assert cell_len(before) == view.number_digits + 3 + 2 * CELL


def test_spans_are_written_with_three_digits() -> None:
    """The unit follows the size."""
    written = [duration(ns) for ns in (5, 1_500, 80_000, 1_440_000, 250_000_000, 2 * 10**9)]

    assert written == ["5 ns", "1.50 µs", "80 µs", "1.44 ms", "250 ms", "2.00 s"]
    assert duration(3_725 * 10**9) == "1 h 02 min"
    assert signed_duration(-2_300_000) == "-2.30 ms"


def test_log_times_are_seconds_with_microseconds() -> None:
    """A row needs no hours; they are in the transition bar."""
    assert second_time(1_700_000_000_016_521_599) == "20.016 521"


def test_counts_are_readable() -> None:
    """Thousands are apart, hits are counted as people count."""
    assert count(7605) == "7,605"
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 22, 113)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "22nd",
        "113th",
    ]
