"""Reading and writing at a terminal that misbehaves."""

from __future__ import annotations

import io
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("there are no Unix terminals", allow_module_level=True)

from am_dbg.views.driver import LastingOutput, without_old_mouse


class Gone(io.StringIO):
    """A terminal that went away."""

    def write(self, text: str) -> int:
        raise OSError(5, "gone")


def test_old_mouse_reports_are_taken_out_and_keys_are_kept() -> None:
    """Three bytes after the report's beginning are coordinates, whatever they are."""
    assert without_old_mouse(b"a\x1b[M \xa0\x82b\x1b[Mxyzc") == b"abc"


def test_reports_of_the_new_form_pass() -> None:
    """They are text, and the parser knows them."""
    assert without_old_mouse(b"\x1b[<0;10;5M\x1b[C") == b"\x1b[<0;10;5M\x1b[C"


def test_writing_to_a_terminal_that_is_gone_is_no_error() -> None:
    """The screen ends in its own time; nobody waits for a writer that died."""
    output = LastingOutput(Gone())

    assert output.write("x") == 1
    assert output.is_gone
    output.flush()


def test_what_is_written_arrives_while_the_terminal_is_there() -> None:
    """Nothing is held back."""
    file = io.StringIO()
    output = LastingOutput(file)

    output.write("x")
    output.flush()

    assert (file.getvalue(), output.is_gone) == ("x", False)


def test_a_closed_file_is_a_terminal_that_is_gone() -> None:
    """Writing after the end is no error either."""
    file = io.StringIO()
    file.close()
    output = LastingOutput(file)

    output.write("x")

    assert output.is_gone
