"""The downloader of examples/, with a real server of this computer."""

from __future__ import annotations

import runpy
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

TEXT = b"0123456789" * 10_000
HALF = len(TEXT) // 2


class Answers(BaseHTTPRequestHandler):
    """`/whole` works, `/half` breaks off the first time, `/none` does not exist."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        if self.path == "/none":
            self.send_error(404)
            return
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=")[:-1])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(TEXT) - begin))
        self.end_headers()
        end = HALF if self.path == "/half" and not begin else len(TEXT)
        self.wfile.write(TEXT[begin:end])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where the server listens."""
    Answers.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def downloader() -> dict[str, Any]:
    path = Path(__file__).resolve().parents[2] / "examples" / "downloader.py"
    return runpy.run_path(str(path), run_name="downloader")


def test_files_are_downloaded(
    downloader: dict[str, Any], address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More files than run at once are complete in the end, and no part is left."""
    paths = [f"/file-{number}" for number in range(downloader["AT_ONCE"] + 2)]

    assert downloader["main"](address, str(tmp_path), *paths) == 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        path[1:]: TEXT for path in paths
    }
    assert capsys.readouterr().out.splitlines() == [f"{path}: Done in 1" for path in paths]


def test_a_part_is_continued(
    downloader: dict[str, Any], address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a connection that broke off, the second try asks for the rest only."""
    assert downloader["main"](address, str(tmp_path), "/half") == 0
    assert (tmp_path / "half").read_bytes() == TEXT
    assert capsys.readouterr().out == "/half: Done in 2\n"
    assert Answers.asked == {"/half": 2}


def test_a_missing_file_is_given_up(
    downloader: dict[str, Any], address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After all tries the program names the error and ends with 1; other files are done."""
    assert downloader["main"](address, str(tmp_path), "/none", "/whole") == 1
    assert capsys.readouterr().out.splitlines() == [
        "/none: GivenUp in 3: /none: 404 Not Found",
        "/whole: Done in 1",
    ]
    assert Answers.asked["/none"] == downloader["TRIES_MAX"]
