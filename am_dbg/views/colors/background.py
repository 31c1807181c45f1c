"""Whether the terminal has a light or a dark ground.

Some terminals set `COLORFGBG` to the numbers of their text and ground colours, such as `0;15`.
Most of them answer a question instead (the sequence `OSC 11`), with the colour of their ground.
Terminals that do not know the question ignore it, so the screen starts dark and changes when
the answer comes. An answer that comes later than `ANSWER_WITHIN_S` changes nothing, because by
then the reader works with the screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.color import Color

from am_dbg.views.colors.contrast import contrast
from am_dbg.views.colors.indexed import BLACK, WHITE

QUESTION = "\x1b]11;?\x1b\\"
ANSWER_WITHIN_S = 2.0

_ANSWER = re.compile(r"11;rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:/[0-9a-f]{1,4})?")
_UNANSWERING_TERMS = ("linux", "dumb", "unknown")
_LIGHT_NUMBERS = ("7", *map(str, range(9, 16)))
_DARK_NUMBERS = (*map(str, range(7)), "8")


def is_light_in(environ: Mapping[str, str]) -> bool | None:
    """Whether the environment announces a light ground; None if it says nothing."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2].strip()
    if ground in _LIGHT_NUMBERS:
        return True
    return False if ground in _DARK_NUMBERS else None


def answers(environ: Mapping[str, str]) -> bool:
    """Whether the terminal can be asked for its ground."""
    return environ.get("TERM", "") not in ("", *_UNANSWERING_TERMS)


def is_light_answer(text: str) -> bool | None:
    """Whether an answer names a light ground; None if it is not an answer."""
    found = _ANSWER.fullmatch(text.lower())
    if found is None:
        return None
    red, green, blue = (
        round(255 * int(part, 16) / (16 ** len(part) - 1)) for part in found.groups()
    )
    ground = Color(red, green, blue)
    return contrast(ground, BLACK) > contrast(ground, WHITE)
