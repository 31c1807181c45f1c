"""Downloads a session from a web address, within limits of time, size and redirects.

The timeout of a socket covers neither the lookup of a name nor headers that arrive byte by byte.
So the download runs on a separate thread, which is abandoned when the time is over. What it
reads goes to a temporary file.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import IO, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from am_dbg.errors import DownloadError
from am_dbg.ingest.temporary import keep, temporary_file
from amtracer.files.atomic import shown

SILENCE_S_MAX = 10.0
"""The longest silence."""
TOTAL_S_MAX = 60.0
"""The longest download."""
REDIRECTS_MAX = 5

_CHUNK_BYTES = 64 * 1024


class _Redirects(HTTPRedirectHandler):
    """Follows a few redirects, to web addresses only.

    Its base class accepts more schemes, such as ftp.
    """

    max_redirections = REDIRECTS_MAX
    max_repeats = REDIRECTS_MAX

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if not _is_web(newurl):
            raise HTTPError(newurl, code, msg, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def fetched(
    url: str,
    bytes_max: int,
    *,
    silence_s_max: float = SILENCE_S_MAX,
    total_s_max: float = TOTAL_S_MAX,
    clock: Callable[[], float] = time.monotonic,
) -> BinaryIO:
    """A temporary file with the bytes at an http or https address.

    DownloadError if they cannot be read. A certificate that is not trusted is refused.
    """
    name = shown(url)
    outcome: list[DownloadError | None] = []
    with ExitStack() as on_error:
        try:
            file = on_error.enter_context(temporary_file())
        except OSError as error:
            raise DownloadError(name, _reason(error)) from error

        def fetch() -> None:
            try:
                _fetch(url, file, bytes_max, silence_s_max, clock() + total_s_max, clock)
                outcome.append(None)
            except DownloadError as error:
                outcome.append(error)

        thread = threading.Thread(target=fetch, name="am-dbg download", daemon=True)
        thread.start()
        thread.join(total_s_max)
        if not outcome:
            raise DownloadError(name, "too slow, no complete answer came in time")
        if outcome[0] is not None:
            raise outcome[0]
        on_error.pop_all()
    return file


def _fetch(
    url: str,
    file: BinaryIO,
    bytes_max: int,
    silence_s_max: float,
    deadline: float,
    clock: Callable[[], float],
) -> None:
    """Read into a file; the caller may have closed it because the time is over."""
    name = shown(url)
    try:
        opener = build_opener(_Redirects())
        opener.addheaders = []
        request = Request(url, headers={"User-Agent": "am-dbg", "Accept": "*/*"})  # noqa: S310 - the caller lets only http and https through
        with opener.open(request, timeout=silence_s_max) as response:
            _read(response, file, name, bytes_max, deadline, clock)
    except HTTPError as error:
        with error:
            raise DownloadError(name, _http_reason(error)) from error
    except URLError as error:
        raise DownloadError(name, _reason(error.reason)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(name, _reason(error)) from error


def _read(
    response: HTTPResponse | IO[bytes],
    file: BinaryIO,
    name: str,
    bytes_max: int,
    deadline: float,
    clock: Callable[[], float],
) -> None:
    """Read bytes as they arrive, so that slow data reaches the deadline."""
    assert isinstance(response, HTTPResponse)  # only web addresses are opened
    announced = response.length or 0
    if announced > bytes_max:
        raise DownloadError(name, f"{announced:,} bytes announced, at most {bytes_max:,} are read")
    size = 0

    def chunks() -> Iterator[bytes]:
        nonlocal size
        while chunk := response.read1(_CHUNK_BYTES):
            size += len(chunk)
            yield chunk
            if clock() > deadline:
                raise DownloadError(name, f"too slow, {size:,} bytes came in time")

    if not keep(file, chunks(), bytes_max):
        raise DownloadError(name, f"more than {bytes_max:,} bytes, refused")
    if announced > size:
        raise DownloadError(name, f"cut after {size:,} of {announced:,} bytes")


def _is_web(url: str) -> bool:
    return url.partition("://")[0].lower() in ("http", "https")


def _http_reason(error: HTTPError) -> str:
    if error.code in (301, 302, 303, 307, 308):
        if not _is_web(error.filename):
            return f"redirected to {shown(error.filename)}, only http and https are followed"
        return f"redirected more than {REDIRECTS_MAX} times or to something that is not read"
    return f"the server answered {error.code} {error.reason}"


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
