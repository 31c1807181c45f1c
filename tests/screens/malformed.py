"""What terminals send that no key is: whole but senseless sequences, and pieces of them."""

from __future__ import annotations

import random
from collections.abc import Callable

UNREADABLE: tuple[bytes, ...] = (
    b"\x1b[97;1:3u",
    b"\x1b[99999999999u",
    b"\x1b[<32;NaN;NaNM",
    b"\x1b[32;NaN;NaNM",
    b"\x1b[<0;" + b"9" * 3_000 + b";1M",
    b"\x1b]0;a title\x07",
    b"\x1bP1$r0m\x1b\\",
    b"\x1b_a program's own\x1b\\",
    b"\x1b[?2048;9$y",
    b"\x1b[48;NaN;undefined;0;0t",
    b"\x1b[M\x20\xa0\x82",
    b"\x1b[55296u",
    b"\x1b[1114112u",
    b"\x1b[97;0u",
    b"\x1b[97;99999u",
    b"\x1b[97;1;55296u",
    b"\x1b[;;;;;;u",
    b"\x1b[:::u",
    b"\x1b[3;;;~",
    b"\x1b[200;5~",
    b"\x1b[5;5A",
    b"\x1b[12;34R",
    b"\x1b[?1;2c",
    b"\x1b[>0;276;0c",
    b"\x1b[0n",
    b"\x1b[4;600;800t",
    b"\xff\xfe\x80",
    b"\xc2\x9b",
    b"\xe2\x80\x8b",
    b"\x1bOz",
    b"\x1b[<0;0;0M",
    b"\x1b[<999;1;1M",
    b"\x1b[<0;99999;99999M",
    b"\x1b[48;0;0;0;0t",
    b"\x1b[<-1;-1;-1M",
    b"\x1b[\x18",
)
"""Whole sequences that are no key and no report of anything that can be."""

_NUMBERS = ("", "0", "-1", "999999", "1" * 400, "NaN", "Infinity", "undefined", ":", "1:2:3:9")


def _numbers(chance: random.Random) -> str:
    return ";".join(chance.choice(_NUMBERS) for _ in range(chance.randint(1, 6)))


def _string(chance: random.Random) -> bytes:
    text = bytes(chance.choice(b"abc;=0123 \x80\xc3") for _ in range(chance.randint(0, 60)))
    end = chance.choice((b"\x07", b"\x1b\\", b"\x18"))
    return b"\x1b" + bytes([chance.choice(b"]PX^_")]) + text + end


_MAKERS: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chance: chance.choice(UNREADABLE),
    lambda chance: b"\x1b[<%sM" % f"-;{_numbers(chance)}".encode(),
    lambda chance: b"\x1b[0;%su" % f"{_numbers(chance)};;;".encode(),
    lambda chance: b"\x1b[?%s$y" % f";{_numbers(chance)};9".encode(),
    lambda chance: (
        b"\x1b[%s%s" % (f"0;{_numbers(chance)}".encode(), chance.choice((b"x", b"g", b"{", b"i")))
    ),
    _string,
)


def unreadable(chance: random.Random) -> bytes:
    """A whole sequence that is no key."""
    return chance.choice(_MAKERS)(chance)


def cut(chance: random.Random) -> bytes:
    """The beginning of a sequence, at least so long that no key begins like it."""
    whole = b"\x1b[1;%s;%d;" % (f"0;{_numbers(chance)}".encode(), chance.randint(0, 99))
    return whole[: chance.randint(2, len(whole))]
