"""The chat server of examples/, with real connections of this computer."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

CHAT = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "examples" / "chat_server.py"), run_name="chat_server"
)
WAIT_S = 20.0


class Terminal:
    """One visitor's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def type(self, line: str) -> None:
        self.writer.write(f"{line}\n".encode())

    async def shown(self) -> str:
        """The next line, or nothing after the end."""
        async with asyncio.timeout(WAIT_S):
            return (await self.reader.readline()).decode().strip()


@asynccontextmanager
async def opened(**options: float) -> AsyncIterator[tuple[Any, Any]]:
    """A room that listens, and a function that connects a named visitor."""
    room = CHAT["Room"](**options)
    server = await room.listen(0)
    terminals = []

    async def connect(name: str = "") -> Terminal:
        terminal = Terminal(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        terminals.append(terminal)
        assert await terminal.shown() == "your name?"
        if name:
            terminal.type(name)
            assert await terminal.shown() == f"* {name} is here"
        return terminal

    try:
        yield room, connect
    finally:
        room.mach.add1("Closed")
        server.close()
        for terminal in terminals:
            terminal.writer.close()
            await terminal.reader.read()


async def test_a_message_reaches_all_others() -> None:
    """A line of a named visitor is shown to everyone else, after its name."""
    async with opened() as (room, connect):
        ann = await connect("ann")
        ben = await connect("ben")
        assert await ann.shown() == "* ben is here"
        ben.type("hello")

        assert await ann.shown() == "ben: hello"
        assert list(room.visitors) == ["ann", "ben"]


async def test_a_name_that_is_taken_is_denied() -> None:
    """A visitor with a name that is taken remains nameless and may try again."""
    async with opened() as (_, connect):
        await connect("ann")
        other = await connect()
        other.type("ann")
        assert await other.shown() == "ann is taken, try another name"
        other.type("ben")

        assert await other.shown() == "* ben is here"


async def test_a_visitor_that_hangs_up_has_left() -> None:
    """The end of a connection ends the visitor's machine, and the others are informed."""
    async with opened() as (room, connect):
        ann = await connect("ann")
        ben = await connect("ben")
        assert await ann.shown() == "* ben is here"
        ended = room.visitors["ben"].mach.when_disposed()
        ben.writer.close()

        assert await ann.shown() == "* ben left"
        assert await am_wait(ended)


async def test_a_visitor_without_a_name_has_to_leave() -> None:
    """After the time limit of Nameless the server closes the connection."""
    async with opened(name_s=0.01) as (_, connect):
        silent = await connect()

        assert await silent.shown() == ""


async def am_wait(handle: Any) -> bool:
    async with asyncio.timeout(WAIT_S):
        return bool(await handle)
