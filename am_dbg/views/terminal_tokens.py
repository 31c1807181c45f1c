"""Splits terminal input into characters, sequences and pastes.

Terminals send more than keys: unexpected reports, numbers such as `NaN`, sequences that a slow
line cuts in two, strings without an end. So this module splits the bytes by the grammar of all
sequences (ECMA-48) and drops what is incomplete. The rules:

- A control sequence is `ESC [`, parameters and a last letter. One that another `ESC` or a
  control character interrupts is dropped; what follows is read as usual.
- A string (`ESC ]`, `ESC P`, `ESC X`, `ESC ^`, `ESC _`) lasts up to its terminator. A short one of
  the first kind may answer a question of the screen; all others are dropped.
- A paste lasts from its beginning to its end mark. Terminals take `ESC` out of what they
  paste, so any other `ESC` means that the end mark was lost.
- A sequence that is unfinished after `CUT_AFTER_S` is dropped; an unfinished paste ends. `ESC`
  alone is the Escape key after `ESCAPE_AFTER_S`.
- `ESC` and a character is that character with Alt. Alt with a character that begins a
  sequence cannot be recognised and is no key, except where a terminal reports keys as numbers.
- Bytes that are no UTF-8, and characters that cannot be printed, are no keys.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

ESCAPE_AFTER_S = 0.1
CUT_AFTER_S = 1.0
PASTE_CHARS_MAX = 100_000
"""Characters that are kept of one paste."""
SEQUENCE_BYTES_MAX = 256
"""Bytes of one sequence; no key or report is longer."""

STRING_BYTES_MAX = 64
"""Bytes of one string; no answer to a question of the screen is longer."""

_MEANINGLESS_BYTES = 200

_ESC = b"\x1b"
_PASTE_BEGIN, _PASTE_END = b"\x1b[200~", b"\x1b[201~"
_STRING_BEGINS = b"]PX^_"
_ANSWER_BEGIN, _DROPPED_BEGIN = b"\x1b]", b"\x1bX"
_NOT_NUMBERS = ("NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "undefined", "null")
"""Words that programs write in place of a number; a letter of them would end the sequence."""
_BEGUN = sorted({word[:size] for word in _NOT_NUMBERS for size in range(1, len(word))})
_WORDS = f"(?:(?<=[<-?;:\\[])(?:{'|'.join(_NOT_NUMBERS)}))".encode()
_PARAMETERS = re.compile(rb"\x1b\[(?:[0-?]|[ -/]|" + _WORDS + rb")*")
_CUT_WORD = re.compile(
    f"(?<=[<-?;:\\[])(?!(?<=\\[)I(?:\\x1b|\\Z))(?:{'|'.join(_BEGUN)})(\\x1b|\\Z)".encode()
)
"""The beginning of such a word; `ESC [ I` is a report of its own."""
_SHIFTED = re.compile(rb"\x1b\[\d{1,2}\$")
_OLD_MOUSE = re.compile(rb"\x1b\[M[\x00\x20-\x7f\x80-\xff]{3}")
_OLD_MOUSE_BEGINS = re.compile(rb"\x1b\[M[\x00\x20-\x7f\x80-\xff]{0,2}")
_FUNCTION = re.compile(rb"\x1bO[0-9;]{0,8}([@-~])?")
_STRING_ENDS = re.compile(rb"\x07|\x18|\x1a|\x1b(\\)?")
_TERMINATORS = (b"\x07", b"\x1b\\")


class InputTokenKind(Enum):
    """The kinds of input tokens, before they are decoded."""

    CHARACTER = auto()
    ALT = auto()
    SEQUENCE = auto()
    PASTE = auto()
    ANSWER = auto()


@dataclass(frozen=True, slots=True)
class InputToken:
    """A whole piece of input: a character, one with Alt, a sequence, a paste, or an answer."""

    kind: InputTokenKind
    text: str


_ESCAPE = InputToken(InputTokenKind.CHARACTER, "\x1b")


class InputTokenizer:
    """Takes bytes in and returns whole tokens; the caller passes the time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._last_at = 0.0
        self._paste: list[str] | None = None
        self._paste_room = 0
        self._decode = getincrementaldecoder("utf-8")(errors="ignore")

    def feed(self, data: bytes, now: float) -> Iterator[InputToken]:
        """The tokens that are whole with these bytes."""
        yield from self.tick(now)
        self._last_at = now
        self._buffer += data
        while self._buffer:
            before, pasting = len(self._buffer), self._paste is not None
            yield from self._pasted() if pasting else self._next()
            if len(self._buffer) == before and pasting == (self._paste is not None):
                return

    def tick(self, now: float) -> Iterator[InputToken]:
        """The tokens of an unfinished piece, once it has waited long enough."""
        waited = now - self._last_at
        if self._buffer == _ESC and self._paste is None and waited >= ESCAPE_AFTER_S:
            self._buffer = b""
            yield _ESCAPE
        elif waited >= CUT_AFTER_S:
            self._buffer = b""
            if self._paste is not None:
                yield self._end_paste()

    def _next(self) -> Iterator[InputToken]:
        buffer = self._buffer
        if buffer[:1] != _ESC:
            yield from self._characters()
        elif len(buffer) == 1:
            return
        elif buffer[1:2] == _ESC:
            self._buffer = buffer[1:]
            yield _ESCAPE
        elif buffer[1:2] == b"[":
            yield from self._control_sequence()
        elif buffer[1:2] == b"O":
            yield from self._function()
        elif buffer[1] in _STRING_BEGINS:
            yield from self._string()
        else:
            yield from self._with_alt()

    def _characters(self) -> Iterator[InputToken]:
        """Everything up to the next escape; a character that is not whole waits in the decoder."""
        text, escape, rest = self._buffer.partition(_ESC)
        self._buffer = escape + rest
        decoded = self._decode.decode(text)
        if escape:
            self._decode.reset()
        for char in decoded:
            if _is_typed(char):
                yield InputToken(InputTokenKind.CHARACTER, char)

    def _with_alt(self) -> Iterator[InputToken]:
        size = _utf8_size(self._buffer[1])
        if len(self._buffer) < 1 + size:
            return
        char = self._buffer[1 : 1 + size].decode("utf-8", "ignore")
        if len(char) != 1:  # a byte that begins no character
            self._buffer = self._buffer[2:]
            return
        self._buffer = self._buffer[1 + size :]
        if _is_typed(char):
            yield InputToken(InputTokenKind.ALT, char)

    def _function(self) -> Iterator[InputToken]:
        """`ESC O`, perhaps numbers, and a letter."""
        found = _FUNCTION.match(self._buffer)
        assert found is not None  # the caller has seen how it begins
        if found[1] is not None:
            yield self._sequence(found.end())
        elif found.end() < len(self._buffer):
            self._buffer = self._buffer[found.end() :]

    def _string(self) -> Iterator[InputToken]:
        """Take a string up to its terminator; an unfinished one waits, without a long content."""
        found = _STRING_ENDS.search(self._buffer, 2)
        if found is None or (found[0] == _ESC and found.end() == len(self._buffer)):
            escape = b"" if found is None else _ESC
            if len(self._buffer) > STRING_BYTES_MAX:
                self._buffer = _DROPPED_BEGIN + escape
            return
        whole, text = self._buffer, self._buffer[2 : found.start()]
        is_cut = found[0] == _ESC
        self._buffer = whole[found.start() if is_cut else found.end() :]
        is_answer = whole.startswith(_ANSWER_BEGIN) and found[0] in _TERMINATORS
        if is_answer and found.end() <= STRING_BYTES_MAX:
            yield InputToken(InputTokenKind.ANSWER, text.decode("ascii", "ignore"))

    def _control_sequence(self) -> Iterator[InputToken]:
        buffer = self._buffer
        if buffer[:3] == b"\x1b[M":
            self._old_mouse()
            return
        if buffer[:3] == b"\x1b[[":  # function keys of the Linux console
            if len(buffer) > 3:
                yield from self._ended_at(3)
            return
        found = _SHIFTED.match(buffer) or _PARAMETERS.match(buffer)
        assert found is not None  # the caller has seen how it begins
        end = found.end()
        if found.re is _SHIFTED:
            yield self._sequence(end)
            return
        cut = _CUT_WORD.match(buffer, end)
        if cut and cut[1]:
            self._buffer = buffer[cut.start(1) :]
        elif cut or end == len(buffer):
            self._buffer = _shortened(buffer, end)
        else:
            yield from self._ended_at(end)

    def _ended_at(self, place: int) -> Iterator[InputToken]:
        """The sequence whose last letter is at a place; if no letter is there, it was cut."""
        if not 0x40 <= self._buffer[place] <= 0x7E:
            is_cancel = self._buffer[place] in b"\x18\x1a"
            self._buffer = self._buffer[place + is_cancel :]
        elif self._buffer.startswith(_PASTE_BEGIN):
            self._buffer = self._buffer[place + 1 :]
            self._paste, self._paste_room = [], PASTE_CHARS_MAX
            self._decode.reset()
        else:
            yield self._sequence(place + 1)

    def _old_mouse(self) -> None:
        """Drop a mouse report of the oldest form: three bytes, whatever they are."""
        whole = _OLD_MOUSE.match(self._buffer)
        begun = _OLD_MOUSE_BEGINS.match(self._buffer)
        if whole is not None:
            self._buffer = self._buffer[whole.end() :]
        elif begun is not None and begun.end() < len(self._buffer):
            self._buffer = self._buffer[begun.end() :]

    def _sequence(self, end: int) -> InputToken:
        text = self._buffer[:end].decode("ascii")
        self._buffer = self._buffer[end:]
        return InputToken(InputTokenKind.SEQUENCE, text)

    def _pasted(self) -> Iterator[InputToken]:
        text, escape, rest = self._buffer.partition(_ESC)
        self._buffer = escape + rest
        self._keep(self._decode.decode(text))
        if self._buffer.startswith(_PASTE_END):
            self._buffer = self._buffer[len(_PASTE_END) :]
            yield self._end_paste()
        elif self._buffer and not _PASTE_END.startswith(self._buffer):
            yield self._end_paste()

    def _keep(self, text: str) -> None:
        assert self._paste is not None
        kept = text[: self._paste_room]
        self._paste_room -= len(kept)
        self._paste.append(kept.replace("\x00", ""))

    def _end_paste(self) -> InputToken:
        text, self._paste = "".join(self._paste or ()), None
        self._decode.reset()
        return InputToken(InputTokenKind.PASTE, text)


def _shortened(sequence: bytes, end: int) -> bytes:
    """A sequence whose parameters end there; one that is longer than any key is shortened."""
    if len(sequence) <= SEQUENCE_BYTES_MAX:
        return sequence
    last = b"0" if sequence[end - 1 : end].isalpha() else sequence[end - 1 : end]
    return b"\x1b[" + b"9" * _MEANINGLESS_BYTES + last + sequence[end:]


def _is_typed(char: str) -> bool:
    """Whether a key can have this character: printed ones, spaces, and the control keys."""
    return (
        char <= "\x1f"
        or char == "\x7f"
        or (char >= " " and (char.isprintable() or _is_space(char)))
    )


def _is_space(char: str) -> bool:
    return char >= "\xa0" and char.isspace() and char not in "\u2028\u2029"


def _utf8_size(first: int) -> int:
    """Bytes of a character that begins with this one."""
    return 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
