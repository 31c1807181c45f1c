"""Sessions from the web: limits of time, size and redirects, each reported in one line."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.errors import DownloadError
from am_dbg.ingest import download
from am_dbg.ingest.download import REDIRECTS_MAX, fetched
from tests.dbg.full_disk import FullDisk

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

    def get_status(self, rest: str) -> None:
        self.answer(int(rest), b"")

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

    def get_nowhere(self, _: str) -> None:
        self.answer(302, b"")

    def get_silent(self, _: str) -> None:
        self.over.wait(10)

    def get_dripping(self, _: str) -> None:
        """A header that never ends, a byte at a time."""
        while not self.over.wait(0.01):
            self.wfile.write(b"x")
            self.wfile.flush()

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


def certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate that nobody signed but itself."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("openssl is needed to make a certificate")
    key, made = folder / "key.pem", folder / "made.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([tool, *words, *names], check=True, capture_output=True, timeout=60)
    return key, made


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a web server that runs for these tests."""
    Site.over = threading.Event()
    with served() as server:
        yield f"http://127.0.0.1:{server.server_port}"
        Site.over.set()


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Site)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def body_of(url: str) -> bytes:
    with fetched(url, LIMIT) as file:
        return file.read()


def test_a_session_is_fetched(site: str) -> None:
    """The bytes at an address, also after some redirects."""
    assert body_of(f"{site}/good") == BODY
    assert body_of(f"{site}/hops/{REDIRECTS_MAX - 1}") == BODY


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "answered 404"),
        (f"hops/{REDIRECTS_MAX}", "redirected more than 5 times"),
        ("loop", "redirected more than 5 times"),
        ("away/file", "redirected to file:///etc/hostname, only http and https are followed"),
        ("away/ftp", "redirected to ftp:///etc/hostname, only http and https are followed"),
        ("away/data", "redirected to data:///etc/hostname, only http and https are followed"),
        ("away/FTP", "redirected to ftp:///etc/hostname, only http and https are followed"),
        ("nowhere", "redirected more than 5 times or to something that is not read"),
        ("short", "cut after 9 of 100 bytes"),
    ],
)
def test_what_a_server_does_wrong_is_reported(site: str, path: str, reason: str) -> None:
    """The error names the address and the reason; other schemes are never followed."""
    with pytest.raises(DownloadError, match=reason) as raised:
        fetched(f"{site}/{path}", LIMIT)
    assert str(raised.value).startswith(f"{site}/{path}: ")


@pytest.mark.parametrize("path", ["large", "unannounced"])
def test_a_download_has_a_size_limit(site: str, path: str) -> None:
    """So many bytes are read, and one more is refused whether announced or not."""
    assert len(body_of(f"{site}/{path}/{LIMIT}")) == LIMIT
    with pytest.raises(DownloadError, match="bytes"):
        fetched(f"{site}/{path}/{LIMIT + 1}", LIMIT)


def test_a_download_is_kept_on_the_disk(site: str) -> None:
    """Its file has no name, so nothing is left of it when it is closed."""
    with fetched(f"{site}/good", LIMIT) as file:
        found = os.fstat(file.fileno())

    assert stat.S_ISREG(found.st_mode)
    assert (found.st_nlink, found.st_size) == (0, len(BODY))


def test_a_download_that_fills_the_disk_is_reported(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is freed, and the error names what happened."""
    full = FullDisk()
    monkeypatch.setattr(download, "temporary_file", lambda: full)

    with pytest.raises(DownloadError, match="no space left on device"):
        fetched(f"{site}/good", LIMIT)
    assert full.closed


def test_a_silent_server_is_left(site: str) -> None:
    """When nothing comes for a while the download ends."""
    with pytest.raises(DownloadError, match="no answer in time"):
        fetched(f"{site}/silent", LIMIT, silence_s_max=0.02)


def test_a_slow_drip_meets_the_deadline(site: str) -> None:
    """Bytes that keep coming do not keep a download going for ever."""
    clock: Callable[[], float] = iter((0.0, 61.0, 62.0)).__next__

    with pytest.raises(DownloadError, match="too slow"):
        fetched(f"{site}/good", LIMIT, clock=clock)


def test_headers_that_drip_meet_the_deadline_too(site: str) -> None:
    """A server that never comes to its answer is left when the time is over."""
    with pytest.raises(DownloadError, match="too slow, no complete answer came in time"):
        fetched(f"{site}/dripping", LIMIT, total_s_max=0.05)


def test_a_name_that_is_looked_up_for_ever_meets_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looking up a name has no timeout of its own."""
    over = threading.Event()

    def slow(*_: object, **__: object) -> None:
        over.wait(30)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(DownloadError, match="too slow"):
        fetched("http://slow.invalid/x", LIMIT, total_s_max=0.02)
    over.set()


def test_a_name_nobody_knows_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's word follows the address."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError) as raised:
        fetched("http://no.invalid/x", LIMIT)
    assert str(raised.value) == "http://no.invalid/x: name or service not known"


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """A server must prove that the name is its own; there is no switch for doing without."""
    key, made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    with served(context) as server:
        url = f"https://127.0.0.1:{server.server_port}/good"
        with pytest.raises(DownloadError, match="its certificate is not trusted") as raised:
            fetched(url, LIMIT)
    assert "\n" not in str(raised.value)


def test_a_server_without_encryption_is_no_https(site: str) -> None:
    """The other way round too: what answers in plain words is reported in one line."""
    with pytest.raises(DownloadError) as raised:
        fetched(f"{site.replace('http', 'https')}/good", LIMIT)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("status", [401, 403, 410, 500, 503])
def test_any_answer_but_the_good_one_is_reported(site: str, status: int) -> None:
    """Number and word of the server follow the address."""
    with pytest.raises(DownloadError, match=f": the server answered {status} "):
        fetched(f"{site}/status/{status}", LIMIT)


def test_the_error_reaches_the_command(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, and exit code 2."""
    assert cli.run(["list", f"{site}/missing"]) == Exit.BAD_INPUT
    assert capsys.readouterr() == (
        "",
        f"am-dbg: {site}/missing: the server answered 404 Not Found\n",
    )
    assert cli.run(["list", f"{site}/good"]) == Exit.BAD_INPUT
    assert "looks like text" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://[bad", "http://", "http://127.0.0.1:port/"]
)
def test_an_address_that_leads_nowhere_is_reported(url: str) -> None:
    """A refused connection and a broken address are one line each."""
    with pytest.raises(DownloadError) as raised:
        fetched(url, LIMIT)
    assert str(raised.value).startswith(f"{url}: ")
    assert "\n" not in str(raised.value)
