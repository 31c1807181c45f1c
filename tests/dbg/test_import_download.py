"""Sessions from the web: limits of time, size and redirects, each told in one line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from am_dbg.download import REDIRECTS_MAX, fetched
from am_dbg.errors import DownloadError

BODY = b"session " * 100
LIMIT = 10_000


class Site(BaseHTTPRequestHandler):
    """Answers by path; `silent` waits until the test is over."""

    over: threading.Event

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        getattr(self, f"get_{name}")(rest)

    def get_good(self, _: str) -> None:
        self.answer(200, BODY)

    def get_missing(self, _: str) -> None:
        self.answer(404, b"")

    def get_large(self, rest: str) -> None:
        self.answer(200, b"x" * int(rest))

    def get_unannounced(self, rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * int(rest))

    def get_short(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")

    def get_hops(self, rest: str) -> None:
        left = int(rest)
        self.redirect(f"/hops/{left - 1}" if left else "/good")

    def get_loop(self, _: str) -> None:
        self.redirect("/loop")

    def get_away(self, rest: str) -> None:
        self.redirect(f"{rest}:///etc/hostname")

    def get_silent(self, _: str) -> None:
        self.over.wait(10)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing goes to standard error."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no matter."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a web server that runs for these tests."""
    Site.over = threading.Event()
    server = Server(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Site.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_session_is_fetched(site: str) -> None:
    """The bytes at an address, also after some redirects."""
    assert fetched(f"{site}/good", LIMIT) == BODY
    assert fetched(f"{site}/hops/{REDIRECTS_MAX - 1}", LIMIT) == BODY


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "answered 404"),
        (f"hops/{REDIRECTS_MAX}", "redirected more than 5 times"),
        ("loop", "redirected more than 5 times"),
        ("away/file", "redirected"),
        ("short", "cut after 9 of 100 bytes"),
    ],
)
def test_what_a_server_does_wrong_is_told(site: str, path: str, reason: str) -> None:
    """The error names the address and the reason; other schemes are never followed."""
    with pytest.raises(DownloadError, match=reason) as raised:
        fetched(f"{site}/{path}", LIMIT)
    assert str(raised.value).startswith(f"{site}/{path}: ")


@pytest.mark.parametrize("path", ["large", "unannounced"])
def test_a_download_has_a_size_limit(site: str, path: str) -> None:
    """So many bytes are read, and one more is refused whether announced or not."""
    assert len(fetched(f"{site}/{path}/{LIMIT}", LIMIT)) == LIMIT
    with pytest.raises(DownloadError, match="bytes"):
        fetched(f"{site}/{path}/{LIMIT + 1}", LIMIT)


def test_a_silent_server_is_left(site: str) -> None:
    """When nothing comes for a while the download ends."""
    with pytest.raises(DownloadError, match="no answer in time"):
        fetched(f"{site}/silent", LIMIT, silence_s_max=0.02)


def test_a_slow_drip_meets_the_deadline(site: str) -> None:
    """Bytes that keep coming do not keep a download going for ever."""
    clock: Callable[[], float] = iter((0.0, 61.0, 62.0)).__next__

    with pytest.raises(DownloadError, match="too slow"):
        fetched(f"{site}/good", LIMIT, clock=clock)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://[bad", "http://", "http://127.0.0.1:port/"]
)
def test_an_address_that_leads_nowhere_is_told(url: str) -> None:
    """A refused connection and a broken address are one line each."""
    with pytest.raises(DownloadError) as raised:
        fetched(url, LIMIT)
    assert str(raised.value).startswith(f"{url}: ")
    assert "\n" not in str(raised.value)
