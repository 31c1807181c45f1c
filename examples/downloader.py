"""A downloader: some files at a time, each in a thread, with retries that continue a part.

One machine for each file, and one for all of them. The states of a file say what happens to it,
and its state context stops the thread when that changes. After a failure a file pauses, by a
time limit of the state `Pausing`, and then continues where it stopped.

    python examples/downloader.py HOST:PORT FOLDER PATH...
    python -m http.server 8000 & python examples/downloader.py localhost:8000 . /a /b
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections import deque
from pathlib import Path, PurePosixPath

import amtracer
import machine as am

AT_ONCE = 3
TRIES_MAX = 3
PAUSE_S = 0.05
CHUNK_BYTES = 16_384
ANSWER_S = 10.0

FILE = am.struct_exclusive(
    {
        "Waiting": am.State(initial=True),
        "Downloading": am.State(),
        "Pausing": am.State(timeout=PAUSE_S, on_timeout="Downloading"),
        "Done": am.State(add=["Ended"]),
        "GivenUp": am.State(add=["Ended"]),
        "Ended": am.State(),
        "Progress": am.State(multi=True, require=["Downloading"]),
        "Exception": am.State(multi=True),
        "ErrDownload": am.State(multi=True, require=["Exception"]),
    },
    ["Waiting", "Downloading", "Pausing", "Done", "GivenUp"],
)
ALL = {
    "Accepting": am.State(initial=True),
    "FilesAsked": am.State(multi=True, require=["Accepting"]),
    "FileEnded": am.State(multi=True),
    "AllEnded": am.State(),
}


class File(am.ExceptionHandler):
    """Handlers of one file."""

    def __init__(self, downloads: Downloads, path: str) -> None:
        self.downloads, self.path = downloads, path
        self.target = downloads.folder / (PurePosixPath(path).name or "index.html")
        self.part = self.target.with_name(f"{self.target.name}.part")
        self.tries = 0
        self.mach = am.Machine(None, FILE, id=path, parent=downloads.mach, handlers=self)

    def DownloadingState(self, e: am.Event) -> None:
        """Read the file in a thread, for as long as the state lasts."""
        self.tries += 1
        ctx = self.mach.new_state_ctx("Downloading")
        threading.Thread(target=self.download, args=(ctx,), daemon=True).start()

    def download(self, ctx: am.Context) -> None:
        with self.mach.panic_to_err_state("ErrDownload"):
            self.read_rest(ctx)
            if not ctx.done:
                self.part.replace(self.target)
                self.mach.add1("Done")

    def read_rest(self, ctx: am.Context) -> None:
        """Ask for what is missing, and append it to the part."""
        have = self.part.stat().st_size if self.part.exists() else 0
        server = http.client.HTTPConnection(self.downloads.address, timeout=ANSWER_S)
        try:
            server.request("GET", self.path, headers={"Range": f"bytes={have}-"} if have else {})
            answer = server.getresponse()
            if answer.status not in (200, 206):
                raise ConnectionError(f"{self.path}: {answer.status} {answer.reason}")
            with self.part.open("ab" if answer.status == 206 else "wb") as part:
                while not ctx.done and (chunk := answer.read(CHUNK_BYTES)):
                    part.write(chunk)
                    self.mach.add1("Progress", {"bytes": part.tell()})
            if answer.length and not ctx.done:
                raise ConnectionError(f"{self.path}: {answer.length} bytes are missing")
        finally:
            server.close()

    def ErrDownloadState(self, e: am.Event) -> None:
        self.mach.ev_add1(e, "Pausing" if self.tries < TRIES_MAX else "GivenUp")
        self.mach.remove(["ErrDownload", "Exception"])

    def EndedState(self, e: am.Event) -> None:
        self.downloads.mach.ev_add1(e, "FileEnded", {"path": self.path})


class Downloads:
    """Handlers of all downloads; they never overlap, so the lists need no lock."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder
        self.waiting: deque[File] = deque()
        self.files: list[File] = []
        self.running = 0
        self.mach = am.Machine(None, ALL, id="downloads", handlers=self)
        amtracer.attach(self.mach)

    def FilesAskedState(self, e: am.Event) -> None:
        asked = [File(self, path) for path in e.args["paths"]]
        self.files += asked
        self.waiting += asked
        self.begin_more(e)

    def FileEndedState(self, e: am.Event) -> None:
        self.running -= 1
        self.begin_more(e)
        if not self.running:
            self.mach.ev_add1(e, "AllEnded")

    def begin_more(self, e: am.Event) -> None:
        """Begin with waiting files while fewer than `AT_ONCE` are running."""
        while self.waiting and self.running < AT_ONCE:
            self.running += 1
            self.waiting.popleft().mach.ev_add1(e, "Downloading")


def main(address: str, folder: str, *paths: str) -> int:
    """Download the paths and print how each ended; 1 if any was given up."""
    downloads = Downloads(address, Path(folder))
    ended = downloads.mach.when1("AllEnded")
    downloads.mach.add1("FilesAsked", {"paths": paths})
    ended.wait()
    for file in downloads.files:
        why = f": {file.mach.err}" if file.mach.is1("GivenUp") else ""
        print(f"{file.path}: {file.mach.switch(['Done', 'GivenUp'])} in {file.tries}{why}")
    return 1 if any(file.mach.is1("GivenUp") for file in downloads.files) else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit("usage: downloader.py HOST:PORT FOLDER PATH...")
    raise SystemExit(main(*sys.argv[1:]))
