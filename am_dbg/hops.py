"""Loop protection for forwarding: the debuggers that a stream passed through.

The facts of a hello hold their names. A debugger that forwards a stream adds its own name,
which is new for each run, to those that are there. A debugger that finds its own name in a
hello has received the stream before and takes nothing of it in. So debuggers that forward to
each other in a circle, however long, send each transition once. Streams that came by different
routes are forwarded over different connections, because a hello holds for all that follows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from amtracer.wire.messages import HelloMessage

FACT = "forwarded by"
"""The fact of a hello that holds the names, the first debugger first."""
HOPS_MAX = 16
"""Debuggers that a stream may come through; it is not sent on any further."""


def new_name() -> str:
    """A name for a debugger, unlike any other."""
    return os.urandom(8).hex()


def route_of(hello: HelloMessage | None) -> str:
    """The debuggers a stream came through, as text; empty when it comes from its program."""
    return "" if hello is None else hello.process.get(FACT, "")


def has_passed(hello: HelloMessage, name: str) -> bool:
    """Whether this debugger has sent the stream on before."""
    return bool(name) and name in route_of(hello).split()


def is_too_long(route: str) -> bool:
    """Whether a stream passed through so many debuggers that it is not forwarded any further."""
    return len(route.split(maxsplit=HOPS_MAX)) >= HOPS_MAX


def with_route(facts: Mapping[str, str], *routes: str) -> dict[str, str]:
    """The facts of a hello with the names of these routes, one after the other."""
    route = " ".join(filter(None, routes))
    return {**facts, FACT: route} if route else dict(facts)
