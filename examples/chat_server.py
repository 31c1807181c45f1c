"""A chat server: one machine for the room, and one for each visitor.

The first line of a visitor is a name, every later line is a message for the others. A visitor
that gives no name in time has to leave, by a time limit of the state `Nameless`, and so has one
that does not read. All machines are pinned to the event loop, so handlers need no lock.

    python examples/chat_server.py 7000                  # then, in several terminals:
    nc localhost 7000

    AM_DBG_ADDR=1 python examples/chat_server.py 7000    # while am-dbg runs
"""

from __future__ import annotations

import asyncio
import sys

import amtracer
import machine as am

NAME_S = 30.0
UNREAD_BYTES_MAX = 64_000
LINE_BYTES_MAX = 2_000

ROOM = {
    "Open": am.State(initial=True),
    "Joined": am.State(multi=True, require=["Open"]),
    "Said": am.State(multi=True, require=["Open"]),
    "Left": am.State(multi=True),
    "Closed": am.State(remove=["Open"]),
}


def visitor_states(name_s: float) -> dict[str, am.State]:
    """The states of a visitor, with the time for giving a name."""
    return {
        "Connected": am.State(initial=True),
        "Nameless": am.State(initial=True, timeout=name_s, on_timeout="Gone"),
        "Named": am.State(require=["Connected"], remove=["Nameless"]),
        "Line": am.State(multi=True, require=["Connected"]),
        "Gone": am.State(remove=["Connected", "Nameless", "Named"]),
    }


class Visitor:
    """Handlers of one connection."""

    def __init__(self, room: Room, writer: asyncio.StreamWriter, number: int) -> None:
        self.room, self.writer = room, writer
        self.name = ""
        self.mach = am.Machine(
            None,
            room.visitor_states,
            id=f"visitor-{number}",
            parent=room.mach,
            executor=asyncio.get_running_loop(),
            handlers=self,
        )

    def send(self, text: str) -> None:
        """Write a line; a visitor that does not read has to leave."""
        self.writer.write(f"{text}\n".encode())
        if self.writer.transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            self.mach.add1("Gone", {"why": "does not read"})

    def LineState(self, e: am.Event) -> None:
        if self.mach.is1("Named"):
            self.room.mach.ev_add1(e, "Said", {"name": self.name, "text": e.args["text"]})
        elif e.args["text"]:
            self.mach.ev_add1(e, "Named", {"name": e.args["text"]})

    def NamedEnter(self, e: am.Event) -> bool:
        """Deny a name that is taken."""
        if e.args["name"] in self.room.visitors:
            self.send(f"{e.args['name']} is taken, try another name")
            return False
        return True

    def NamedState(self, e: am.Event) -> None:
        self.name = e.args["name"]
        self.room.visitors[self.name] = self
        self.room.mach.ev_add1(e, "Joined", {"name": self.name})

    def GoneState(self, e: am.Event) -> None:
        self.writer.close()
        if self.room.visitors.pop(self.name, None) is not None:
            self.room.mach.ev_add1(e, "Left", {"name": self.name})
        self.mach.dispose()


class Room:
    """Handlers of the room, and the server of its connections."""

    def __init__(self, name_s: float = NAME_S) -> None:
        self.visitor_states = visitor_states(name_s)
        self.visitors: dict[str, Visitor] = {}
        self.count = 0
        self.mach = am.Machine(
            None, ROOM, id="room", executor=asyncio.get_running_loop(), handlers=self
        )
        amtracer.attach(self.mach)

    async def listen(self, port: int) -> asyncio.Server:
        """Accept connections of this computer."""
        return await asyncio.start_server(self.serve, "127.0.0.1", port, limit=LINE_BYTES_MAX)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Turn the lines of one connection into mutations."""
        self.count += 1
        visitor = Visitor(self, writer, self.count)
        visitor.send("your name?")
        try:
            while line := await reader.readline():
                visitor.mach.add1("Line", {"text": line.decode(errors="replace").strip()})
        except (ConnectionError, ValueError) as error:  # hung up, or too long a line
            visitor.mach.log("%s", error)
        visitor.mach.add1("Gone", {"why": "hung up"})

    def send_all(self, text: str, but: str = "") -> None:
        for name, visitor in list(self.visitors.items()):
            if name != but:
                visitor.send(text)

    def JoinedState(self, e: am.Event) -> None:
        self.send_all(f"* {e.args['name']} is here")

    def SaidState(self, e: am.Event) -> None:
        self.send_all(f"{e.args['name']}: {e.args['text']}", but=e.args["name"])

    def LeftState(self, e: am.Event) -> None:
        self.send_all(f"* {e.args['name']} left")

    def ClosedState(self, e: am.Event) -> None:
        for visitor in list(self.visitors.values()):
            visitor.mach.ev_add1(e, "Gone", {"why": "closed"})


async def main(port: int) -> None:
    """Serve until Ctrl+C."""
    room = Room()
    async with await room.listen(port) as server:
        print(f"listens on {server.sockets[0].getsockname()[1]}")
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    except KeyboardInterrupt:
        print("closed")
