"""Reads the msgpack values of heads and bodies: one border for bytes of any origin.

Maps and extension types are refused, lengths are limited, and every fault is a `WireError`.
"""

from __future__ import annotations

import msgpack

from amtracer.errors import WireError
from amtracer.files.records import CONTENT_BYTES_MAX
from amtracer.wire import limits


def unpacked_values(data: bytes) -> tuple[object, ...]:
    """The values of an array; texts may hold any code point that a program sent."""
    try:
        values = msgpack.unpackb(
            data,
            use_list=False,
            unicode_errors="surrogatepass",
            max_bin_len=CONTENT_BYTES_MAX,
            max_str_len=limits.TEXT_BYTES_MAX,
            max_ext_len=0,
            max_map_len=0,
        )
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise WireError(f"invalid msgpack ({error})") from error
    if type(values) is not tuple:
        raise WireError("no array")
    return values


def unpack_stream_number(head: bytes) -> int:
    """The stream of a record whose head is only that: an opening, or events."""
    match unpacked_values(head):
        case (int(number), *_) if number >= 0:
            return number
    raise WireError("a head without a stream")
