"""Terminal input: keys arrive, and nothing else arrives as a key."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from textual import events
from textual.message import Message

from am_dbg.views.terminal_events import InputReader
from am_dbg.views.terminal_tokens import CUT_AFTER_S, ESCAPE_AFTER_S, PASTE_CHARS_MAX
from tests.screens.malformed import UNREADABLE, cut, unreadable

KEYS = {
    b"a": "a",
    b"\x1b[C": "right",
    b"\x1bOA": "up",
    b"\x1b[1;2D": "shift+left",
    b"\x1bl": "alt+l",
    b"\x1b[Z": "shift+tab",
    b"\x1b[5~": "pageup",
    b"\x7f": "backspace",
    b"\r": "enter",
    b"\x03": "ctrl+c",
    "é".encode(): "é",
    b"\x1b[97u": "a",
    b"\x1b[97;1:1u": "a",
    b"\x1b[97;5u": "ctrl+a",
    b"\x1b[1091::101u": "у",  # a letter of another layout
    b"\x1b[3$": "shift+delete",
    b"\x1b[[A": "f1",
}


def keys_of(messages: Iterable[Message]) -> list[str]:
    return [one.key for one in messages if isinstance(one, events.Key)]


def read(*chunks: bytes | float) -> list[Message]:
    """What bytes mean that come one after another, with pauses in seconds between them."""
    reader, now, messages = InputReader(), 0.0, list[Message]()
    for chunk in chunks:
        if isinstance(chunk, bytes):
            messages += reader.feed(chunk, now)
        else:
            now += chunk
            messages += reader.tick(now)
    return messages


@pytest.mark.parametrize(("sequence", "key"), KEYS.items())
def test_a_key_arrives_as_itself(sequence: bytes, key: str) -> None:
    """Whatever form a terminal gives it."""
    assert keys_of(read(sequence)) == [key]


@pytest.mark.parametrize(("sequence", "key"), KEYS.items())
def test_a_key_that_comes_in_pieces_is_one_key(sequence: bytes, key: str) -> None:
    """A slow line may cut a sequence anywhere."""
    assert keys_of(read(*(sequence[at : at + 1] for at in range(len(sequence))))) == [key]


@pytest.mark.parametrize("sequence", UNREADABLE)
def test_what_cannot_be_read_is_no_key_and_takes_none(sequence: bytes) -> None:
    """It is dropped as a whole, and what follows at once counts."""
    assert keys_of(read(sequence + b"e")) == ["e"]


def test_a_released_key_is_not_pressed() -> None:
    """Terminals may report what happened to a key; a press and a repetition count."""
    assert keys_of(read(b"\x1b[97;1:3u\x1b[1;1:3C", b"\x1b[97;1:1u\x1b[97;1:2u")) == ["a", "a"]


def test_a_sequence_that_another_one_cuts_is_dropped() -> None:
    """Its beginning means nothing without its end."""
    assert keys_of(read(b"\x1b[1;\x1b[C\x1b]0;a title\x1b[D\x1b[<3;\r")) == [
        "right",
        "left",
        "enter",
    ]


def test_an_unfinished_sequence_is_joined_soon_and_dropped_later() -> None:
    """Nobody presses a key within the moment it is waited for."""
    soon, late = CUT_AFTER_S * 0.9, CUT_AFTER_S

    assert keys_of(read(b"\x1b[1;", soon, b"2C")) == ["shift+right"]
    assert keys_of(read(b"\x1b[1;", late, b"e")) == ["e"]
    assert keys_of(read(b"\x1b]0;title", late, b"e")) == ["e"]


def test_escape_alone_is_a_key_after_a_moment() -> None:
    """Until then it may be the beginning of another."""
    assert keys_of(read(b"\x1b", ESCAPE_AFTER_S, b"e")) == ["escape", "e"]
    assert keys_of(read(b"\x1b", ESCAPE_AFTER_S / 2, b"[C")) == ["right"]


def test_a_paste_is_text_up_to_a_limit() -> None:
    """Nothing in it is a key, however long it is."""
    huge = b"q" * (2 * PASTE_CHARS_MAX)
    messages = read(b"\x1b[200~", huge, b"\x1b[201", b"~e")

    (paste,) = (one for one in messages if isinstance(one, events.Paste))
    assert len(paste.text) == PASTE_CHARS_MAX
    assert keys_of(messages) == ["e"]


@pytest.mark.parametrize("after", [(b"\x1b[C",), (CUT_AFTER_S, b"\x1b[C")])
def test_a_paste_without_an_end_takes_no_keys_for_ever(after: tuple[bytes | float, ...]) -> None:
    """A key sequence or silence ends it; what was pasted is text."""
    messages = read(b"\x1b[200~qqq", *after)

    assert [type(one) for one in messages] == [events.Paste, events.Key]
    assert keys_of(messages) == ["right"]


def test_a_click_beyond_any_screen_is_no_click() -> None:
    """Columns and rows count from 1, and there is a last one."""
    good = read(b"\x1b[<0;10;5M\x1b[<64;1;1M")
    bad = read(b"\x1b[<0;0;5M\x1b[<0;5;99999M\x1b[<0;-1;5M\x1b[<0;5M\x1b[<256;1;1M")

    assert [type(one) for one in good] == [events.MouseDown, events.MouseScrollUp]
    assert bad == []


def test_an_error_while_reading_costs_one_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a sequence does to the parser, the next one is read."""
    reader = InputReader()
    with monkeypatch.context() as patched:
        patched.setattr("textual._xterm_parser.XTermParser.parse_mouse_code", lambda *_: 1 // 0)
        assert list(reader.feed(b"\x1b[<0;10;5M", 0.0)) == []

    assert keys_of(reader.feed(b"e", 0.0)) == ["e"]


@pytest.mark.slow
def test_terminal_input() -> None:
    """Of 50,000 malformed sequences none is a key, and every key between them arrives."""
    chance, reader, now = random.Random(1), InputReader(), 0.0
    known = list(KEYS.items())
    for _ in range(50_000):
        key, name = chance.choice(known)
        is_cut = chance.random() < 0.3
        noise = cut(chance) if is_cut else unreadable(chance)
        got: list[Message] = []
        split = chance.randint(0, len(noise))
        for piece in (noise[:split], noise[split:]):
            got += reader.feed(piece, now)
            now += 0.01
        if is_cut and (not key.startswith(b"\x1b") or chance.random() < 0.5):
            now += CUT_AFTER_S
            got += reader.tick(now)
        got += reader.feed(key, now)

        assert keys_of(got) == [name], (noise, key)
