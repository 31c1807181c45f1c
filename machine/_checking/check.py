"""The call that checks a schema; it loads the rules when it is first used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from machine._checking.finding import Finding
    from machine._machine.machine import Machine
    from machine._schema.sharing import Definition


def check(
    schema: Definition | Machine | Iterable[Machine], handlers: object = None
) -> list[Finding]:
    """What is most likely not meant in a schema, in the order of its states; empty if nothing.

    `schema` is a mapping, a states class, a machine or several machines. `handlers` is what
    `bind_handlers` takes, or a class of handlers; a list or tuple of these too. Of machines, the
    handlers that are bound and the pipes between them count too. Nothing is called, bound or
    logged. A finding is about relations as they are written: a custom resolver is not asked.
    Raises as the constructor of a machine does if the schema cannot be used.
    """
    from machine._checking.findings import findings

    return findings(schema, handlers)
