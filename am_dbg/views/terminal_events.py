"""Decodes terminal sequences into Textual's events: keys, mouse, pastes, reports.

Textual reads every sequence as far as it can, and types the rest as keys. Here a sequence
counts only if terminals are known to send it and its numbers are possible. Everything else is
ignored. The release of a key is not a key press.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import XTermParser
from textual.message import Message

from am_dbg.projection.faults import Failed, attempt
from am_dbg.views.colors.background import ANSWER_WITHIN_S, is_light_answer
from am_dbg.views.messages import GroundReported
from am_dbg.views.terminal_tokens import InputToken, InputTokenizer, InputTokenKind

COORDINATE_MAX = 32_767
"""Columns, rows and pixels that a terminal can have."""
MODIFIERS_MAX = 256

_KEY = re.compile(r"\x1b\[([\d:;]{0,40})([u~ABCDEFHPQRS])")
_FIELD = re.compile(r"\d{0,7}(?::\d{0,7}){0,8}")
_MOUSE = re.compile(r"\x1b\[<(\d{1,3});(\d{1,5});(\d{1,5})[Mm]")
_RESIZE = re.compile(r"\x1b\[48;(\d{1,5});(\d{1,5});(\d{1,5});(\d{1,5})t")
_MODE = re.compile(r"\x1b\[\?\d{1,5};[0-4]\$y")
_REPORTS = ("\x1b[I", "\x1b[O")
_UNASSIGNED = ("Cs", "Co", "Cn", "Cc", "Cf", "Zl", "Zp")


class EventDecoder:
    """Decodes tokens into Textual's messages; tokens without a meaning give none."""

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self.parser = XTermParser(debug)

    def messages(self, token: InputToken) -> list[Message]:
        """The messages for a token."""
        messages = attempt(f"reading {token.kind.name}", lambda: list(self._messages(token)))
        if isinstance(messages, Failed):
            messages.log()
            self.parser = XTermParser(self._debug)  # a parser that raised reads nothing more
            return []
        return messages

    def _messages(self, token: InputToken) -> Iterable[Message]:
        match token.kind:
            case InputTokenKind.PASTE:
                return (events.Paste(token.text),)
            case InputTokenKind.CHARACTER:
                return self._character(token.text)
            case InputTokenKind.ALT:
                sequence = f"\x1b{token.text}"
                if sequence in ANSI_SEQUENCES_KEYS:
                    return _of_table(sequence)
                return self.parser._sequence_to_key_events(token.text, alt=True)
            case InputTokenKind.ANSWER:
                is_light = is_light_answer(token.text)
                return () if is_light is None else (GroundReported(is_light=is_light),)
            case InputTokenKind.SEQUENCE:
                return self._sequence(token.text)

    def _character(self, char: str) -> Iterable[Message]:
        if char == "\x1b":
            return (events.Key("escape", char),)
        return self.parser._sequence_to_key_events(char)

    def _sequence(self, text: str) -> Iterable[Message]:
        if text in _REPORTS or _MODE.fullmatch(text):
            return list(self.parser.feed(text))
        if found := _MOUSE.fullmatch(text):
            return self._mouse(text, *map(int, found.groups()))
        if found := _RESIZE.fullmatch(text):
            sizes = map(int, found.groups())
            return list(self.parser.feed(text)) if all(map(_is_size, sizes)) else ()
        found = _KEY.fullmatch(text)
        keys = _numbered(found[1], found[2]) if found else ""
        if keys:
            return list(self.parser.feed(keys))
        return _of_table(text)

    def _mouse(self, text: str, button: int, column: int, row: int) -> Iterable[Message]:
        if button > 255 or not (_is_size(column) and _is_size(row)):
            return ()
        event = self.parser.parse_mouse_code(text)
        return () if event is None else (event,)


def _of_table(sequence: str) -> Iterator[Message]:
    """The keys of a sequence with a fixed meaning."""
    keys = ANSI_SEQUENCES_KEYS.get(sequence)
    if isinstance(keys, tuple):
        for key in keys:
            if key.value != "<ignore>":
                yield events.Key(key.value, None)


def _numbered(parameters: str, end: str) -> str:
    """The sequence of a key that is reported by numbers, in the form that Textual reads; or empty.

    The fields are the key (with what it is in other layouts), the modifiers (with what happened
    to the key) and the characters that it types.
    """
    fields = parameters.split(";")
    if len(fields) > 3 or not all(map(_FIELD.fullmatch, fields)):
        return ""
    code, modifiers, text = (*fields, "", "")[:3]
    code = code.partition(":")[0] or "1"
    modifiers, _, happened = modifiers.partition(":")
    if happened not in ("", "1", "2") or not 1 <= int(modifiers or "1") <= MODIFIERS_MAX:
        return ""
    if f"{int(code)}{end}" not in FUNCTIONAL_KEYS and not (end == "u" and _is_character(code)):
        return ""
    if text and not all(map(_is_character, text.split(":"))):
        return ""
    tail = f";{modifiers}" * bool(modifiers or text) + f";{text}" * bool(text)
    return f"\x1b[{int(code)}{tail}{end}"


def _is_character(code: str) -> bool:
    """Whether a number is that of a character which a key can type."""
    if not code or int(code) > 0x10FFFF:
        return False
    return unicodedata.category(chr(int(code))) not in _UNASSIGNED


def _is_size(number: int) -> bool:
    return 1 <= number <= COORDINATE_MAX


class InputReader:
    """Decodes the bytes of a terminal into messages; the caller passes the time."""

    def __init__(self, *, debug: bool = False) -> None:
        self._tokenizer = InputTokenizer()
        self._decoder = EventDecoder(debug=debug)
        self._answers_until = float("-inf")

    def asked(self, now: float) -> None:
        """The terminal was asked for its ground: an answer counts for some time from now on."""
        self._answers_until = now + ANSWER_WITHIN_S

    def feed(self, data: bytes, now: float) -> Iterator[Message]:
        """The messages for these bytes, together with those that came before."""
        for token in self._tokenizer.feed(data, now):
            if token.kind is not InputTokenKind.ANSWER or now <= self._answers_until:
                yield from self._decoder.messages(token)

    def tick(self, now: float) -> Iterator[Message]:
        """The messages that follow because nothing more has come."""
        for token in self._tokenizer.tick(now):
            yield from self._decoder.messages(token)
