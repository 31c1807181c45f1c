"""Long texts: where rows are broken, and what the rows of stack traces are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from am_dbg.projection.detail.rows import unquoted
from am_dbg.projection.text.line_breaks import WIDTH_MIN, broken
from am_dbg.projection.text.traces import RowOf, read_trace, short_path
from am_dbg.spans import Role, Span, width_of

PYTHON = (
    "Traceback (most recent call last):",
    '  File "/srv/apps/pool/saving.py", line 207, in save',
    "    store.write(sheet)",
    '  File "/usr/lib/python3.12/site-packages/orders/pooling.py", line 9, in write',
    "    self.socket.send(body)",
    "ConnectionResetError: the store hung up",
)
GO = (
    "goroutine 7 [running]:",
    "main.save(0xc0)",
    "\t/srv/apps/pool/saving.go:12 +0x1d".replace("\t", "    "),
    "github.com/pancsta/asyncmachine-go/pkg/machine.(*Machine).Add(0xc0)",
    "    /go/pkg/mod/github.com/pancsta/asyncmachine-go@v0.10.1/machine.go:99 +0x2",
)


def texts(rows: list[list[Span]]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


def test_a_row_is_broken_at_spaces_and_its_rest_is_indented() -> None:
    """Words stay whole if they fit."""
    rows = broken([Span("the store hung up again")], 12, 2)

    assert texts(rows) == ["the store", "  hung up", "  again"]


def test_a_word_that_is_longer_than_the_row_is_broken_inside() -> None:
    """Nothing is cut off."""
    assert texts(broken([Span("a" * 25)], 10)) == ["a" * 10, "a" * 10, "a" * 5]


def test_pieces_keep_their_roles_and_links() -> None:
    """A span that is broken is the same kind of text in both rows."""
    rows = broken([Span("see ", Role.QUIET), Span("worker-one", Role.ADDED, link="mach://w")], 9)

    assert [(span.role, span.link) for span in rows[1]] == [(Role.ADDED, "mach://w")]


@given(st.text(alphabet="ab \u4e16é", max_size=80), st.integers(WIDTH_MIN, 30), st.integers(0, 4))
def test_rows_fit_and_hold_all_of_the_text(text: str, width: int, indent: int) -> None:
    """Broken rows are never wider than asked, and only spaces are missing at their ends."""
    rows = texts(broken([Span(text)], width, indent))

    assert all(width_of(row.rstrip(" ")) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


def test_frames_of_python_belong_to_the_program_or_to_a_library() -> None:
    """The source line below a frame belongs to the frame; the last row is the error."""
    assert [row.owner for row in read_trace(PYTHON)] == [
        RowOf.TEXT,
        RowOf.OWN,
        RowOf.OWN,
        RowOf.LIBRARY,
        RowOf.LIBRARY,
        RowOf.ERROR,
    ]


def test_frames_of_go_have_the_function_above_the_path() -> None:
    """Both rows belong to the owner of the path."""
    assert [row.owner for row in read_trace(GO)] == [
        RowOf.TEXT,
        RowOf.OWN,
        RowOf.OWN,
        RowOf.LIBRARY,
        RowOf.LIBRARY,
    ]


def test_a_path_loses_its_left_part_and_never_its_file() -> None:
    """The name of the file stays whole, even in a row that is too narrow for it."""
    path = "/srv/apps/projects/pool/saving.py"

    assert short_path(path, 40) == path
    assert short_path(path, 17) == "…/pool/saving.py"
    assert short_path(path, 3) == "…/saving.py"


def test_only_texts_of_several_rows_lose_their_quotes() -> None:
    """An argument is shown as its program wrote it unless its line ends are escaped."""
    assert unquoted("'a b'") == "'a b'"
    assert unquoted("'a\\nb'") == "a\nb"
    assert unquoted("'a\\nb") == "'a\\nb"
    assert unquoted("'\\n' + '") == "'\\n' + '"
