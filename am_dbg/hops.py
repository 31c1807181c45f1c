"""Loop protection for forwarding: the debuggers that a stream passed through.

The facts of a hello have their names. A debugger that forwards a stream adds its own name, which
is new in each run. A debugger that finds its own name in a hello has received the stream before
and refuses it. So debuggers that forward to each other in a circle of any length send each
transition once. Streams of different routes are forwarded over different connections, because a
hello holds for everything after it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from amtracer.wire.messages import HelloMessage

FACT = "forwarded by"
"""The fact of a hello that holds the names, the first debugger first."""
HOPS_MAX = 16
"""The most debuggers that a stream passes through; it is not forwarded beyond."""


def new_name() -> str:
    """A unique name for a debugger."""
    return os.urandom(8).hex()


def route_of(hello: HelloMessage | None) -> str:
    """The debuggers that a stream passed through, as text; empty if it comes from its program."""
    return "" if hello is None else hello.process.get(FACT, "")


def has_passed(hello: HelloMessage, name: str) -> bool:
    """Whether the stream passed through the debugger of this name."""
    return bool(name) and name in route_of(hello).split()


def is_too_long(route: str) -> bool:
    """Whether a stream passed through so many debuggers that it is not forwarded any further."""
    return len(route.split(maxsplit=HOPS_MAX)) >= HOPS_MAX


def with_route(facts: Mapping[str, str], *routes: str) -> dict[str, str]:
    """The facts of a hello with the names of these routes, one after the other."""
    route = " ".join(filter(None, routes))
    return {**facts, FACT: route} if route else dict(facts)
