"""A debugger with a screen, and many clients that send to it at the same time.

The clients are connections of one other process, on loopback. Each has a machine of its own and
sends recorded frames at a steady pace, every frame with the transitions of a tenth of a second. No
program is traced, so the figures are those of the debugger alone. Meanwhile a key is pressed four
times a second, and its time ends when the screen shows what it changed. At the end the debugger
says how many transitions it has taken in.

The clients use the same processors. So their share is a figure too, and the longest time that a
process which only sleeps for a millisecond was not run: a key cannot be faster.

`python -m benchmarks.debugger_load PORT CLIENTS PER_SECOND SECONDS` is the process of the clients.
It prints the transitions that it sent, the seconds and the CPU seconds that this took, and stays
connected until its standard input ends.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from threading import Event, Thread

from amtracer.encode.stream_writer import StreamWriter
from amtracer.wire.codec import FrameWriter
from amtracer.wire.messages import PROTOCOL_VERSION, HelloMessage, Message, StateDef
from benchmarks.debugger_screen import Screen, compile_packages
from benchmarks.debugger_sessions import STATES, UNIT_NS, repeating

Figures = dict[str, float]
ROOT = Path(__file__).parents[1]
FRAMES_PER_S = 10
KEY_EVERY_S = 0.25
WAIT_S = 0.001
LEVEL, LEVEL_SHOWN = b"l", b"level "
QUIT = b"q"
IDLE_CPU_S = 0.05
"""A debugger that uses no more in a second has taken in everything."""

LABELS = {
    "load_clients": "clients",
    "load_sent": "transitions sent",
    "load_lost": "of these lost",
    "load_per_s": "transitions per second",
    "load_behind_s": "the debugger works on after the end, s",
    "load_keys": "keys pressed meanwhile",
    "load_key_ms_p50": "key to screen, p50, ms",
    "load_key_ms_max": "key to screen, longest, ms",
    "load_wait_ms_max": "longest wait of a sleeping process, ms",
    "load_cpu_share": "processors used by the debugger",
    "load_sender_share": "processors used by the clients",
    "load_rss_mb": "memory of the debugger at the end, MB",
}
"""The rows of the table, by the keys of the JSON."""


def measure(clients: int, per_second: int, seconds: float) -> Figures:
    """Send for so many seconds, and press keys."""
    compile_packages()
    port = _free_port()
    with Screen("--listen-on", f"127.0.0.1:{port}") as screen:
        command = [sys.executable, "-m", "benchmarks.debugger_load"]
        numbers = map(str, (port, clients, per_second, seconds))
        with subprocess.Popen(
            [*command, *numbers],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sender:
            assert sender.stdout is not None
            sender.stdout.readline()
            cpu_s, begin = screen.cpu_s(), time.perf_counter()
            with _longest_wait() as waits_s:
                pressed = list(_keys(screen, seconds))
            used = (screen.cpu_s() - cpu_s) / (time.perf_counter() - begin)
            sent, took, sender_s = map(float, sender.stdout.readline().split())
            behind_s = _until_idle(screen)
            rss_mb = screen.rss_mb()
            found = _held(screen)
            sender.communicate()
    ordered = sorted(pressed)
    return {
        "load_clients": clients,
        "load_sent": sent,
        "load_lost": sent - found,
        "load_per_s": sent / took,
        "load_behind_s": behind_s,
        "load_keys": len(ordered),
        "load_key_ms_p50": ordered[len(ordered) // 2] * 1e3,
        "load_key_ms_max": ordered[-1] * 1e3,
        "load_wait_ms_max": waits_s[0] * 1e3,
        "load_cpu_share": used,
        "load_sender_share": sender_s / took,
        "load_rss_mb": rss_mb,
    }


def _keys(screen: Screen, seconds: float) -> Iterator[float]:
    """Press a key now and then; the seconds until the screen shows its effect."""
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        yield screen.press_until(LEVEL, LEVEL_SHOWN)
        screen.settle(max(0.0, begin + KEY_EVERY_S - time.perf_counter()))


@contextmanager
def _longest_wait() -> Iterator[list[float]]:
    """Sleep for a millisecond again and again; how much longer the longest of these took."""
    longest, is_over = [0.0], Event()

    def sleep() -> None:
        while not is_over.is_set():
            begin = time.perf_counter()
            time.sleep(WAIT_S)
            longest[0] = max(longest[0], time.perf_counter() - begin - WAIT_S)

    thread = Thread(target=sleep)
    thread.start()
    try:
        yield longest
    finally:
        is_over.set()
        thread.join()


def _until_idle(screen: Screen) -> int:
    """Wait until the debugger has nothing to do; the seconds that it worked on."""
    for second in count():
        before_s = screen.cpu_s()
        screen.settle(1.0, 1.0)
        if screen.cpu_s() - before_s <= IDLE_CPU_S:
            return second
    raise AssertionError


def _held(screen: Screen) -> int:
    """End the debugger; the transitions that it says it has taken in."""
    words = screen.end(QUIT)
    found = re.search(r"([\d,]+) transitions, ", words)
    return int(found[1].replace(",", "")) if found else 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# -- the process of the clients


def send(port: int, clients: int, per_second: int, seconds: float) -> None:
    """Send recorded frames over many connections, a tenth of a second at a time."""
    ticks = int(seconds * FRAMES_PER_S)
    rows = max(1, per_second // (clients * FRAMES_PER_S))
    _, *frames = _recorded("client", rows, ticks)
    peers: list[socket.socket] = []
    for number in range(clients):
        (opening,) = _recorded(f"client-{number}", rows, 0)
        peers.append(socket.create_connection(("127.0.0.1", port)))
        peers[-1].sendall(opening)
    print("connected", flush=True)
    begin, cpu_s = time.perf_counter(), time.process_time()
    for tick, frame in enumerate(frames):
        for number, peer in enumerate(peers):
            due = begin + (tick + number / clients) / FRAMES_PER_S
            if (early_s := due - time.perf_counter()) > 0:
                time.sleep(early_s)
            peer.sendall(frame)
    took, used = time.perf_counter() - begin, time.process_time() - cpu_s
    print(clients * rows * len(frames), took, used, flush=True)
    sys.stdin.read()


def _recorded(id: str, rows: int, ticks: int) -> Iterator[bytes]:
    """What one client sends: its opening, then a frame for each tick, as every client does."""
    sent: list[Message] = []
    frames = FrameWriter()
    writer = StreamWriter(sent.append, HelloMessage(PROTOCOL_VERSION, id, time.time_ns(), 0))
    schema = writer.schema(tuple(map(StateDef, STATES)))
    machine = writer.machine(id, schema, tx_prefix=id, unit_ns=UNIT_NS)
    yield frames.magic() + _packed(frames, sent)
    begin_ns, every_ns = time.time_ns(), 1_000_000_000 // (rows * FRAMES_PER_S)
    program = repeating(0)
    for tick in range(ticks):
        for at, row in enumerate(islice(program, rows), start=tick * rows):
            calls = (UNIT_NS,) * row.shape.calls
            time_ns = begin_ns + at * every_ns
            writer.record(
                machine, row.shape, time_ns, UNIT_NS, 0, row.lines, (), None, row.args, calls
            )
        writer.flush()
        yield _packed(frames, sent)


def _packed(frames: FrameWriter, sent: list[Message]) -> bytes:
    data = b"".join(map(frames.write, sent)) + frames.flush()
    sent.clear()
    return data


if __name__ == "__main__":
    send(*map(int, sys.argv[1:4]), float(sys.argv[4]))
