"""Checks a schema of a program for `am-dbg check MODULE:NAME`: imports it and prints findings.

The module is imported as `python -m` does it: the current directory comes first in the path of
modules. So its top level runs, with all of its imports; what it prints goes to standard
error. Only an argument that has this form, and is not the name of a file, leads to an import.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from am_dbg.cli.exit_codes import Exit
from am_dbg.cli.output import fail, json_lines, write_lines
from am_dbg.errors import NoSchemaError
from am_dbg.safe_text import one_line

if TYPE_CHECKING:
    from machine import Finding

PLACE = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def is_place(text: str) -> bool:
    """Whether this means a name in a module; a file of that name comes first."""
    return PLACE.fullmatch(text) is not None and not os.path.lexists(text)


def check_schema(place: str, handlers: str, *, as_json: bool) -> int:
    """Print the findings about a schema, and return the exit code: 1 if there are any."""
    import machine
    from machine.errors import MachineError

    subject = imported(place)
    given = imported(handlers) if handlers else None
    try:
        found = machine.check(subject, given)
    except (MachineError, TypeError, ValueError) as error:
        return fail(f"{place}: {error}")
    write_lines(json_lines(_value(place, found)) if as_json else _lines(place, found))
    return Exit.FOUND if found else Exit.DONE


def imported(place: str) -> Any:
    """What a name in a module stands for; raises NoSchemaError."""
    from machine.errors import near_names

    parts = PLACE.fullmatch(place)
    if parts is None:
        raise NoSchemaError(f"{place!r} is not MODULE:NAME, such as shop.states:OrderStates")
    found: Any = _module(parts["module"])
    for name in parts["name"].split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            near = " or ".join(near_names(name, dir(found)))
            hint = f"; did you mean {near}?" if near else ""
            raise NoSchemaError(f"{place}: there is no {name}{hint}") from None
    return found


def _module(name: str) -> object:
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        with redirect_stdout(sys.stderr):
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise NoSchemaError(f"there is no module {error.name}, here or installed") from None
        raise NoSchemaError(f"{name} cannot be imported: {error}") from error
    except SystemExit as error:
        raise NoSchemaError(f"{name} cannot be imported: it ends the program") from error
    except Exception as error:  # protects the command: a module runs any code when it is imported
        what = f"{type(error).__name__}: {error}"
        raise NoSchemaError(f"{name} cannot be imported: {what}") from error


def _lines(place: str, found: list[Finding]) -> Iterator[str]:
    for one in found:
        whose = f" ({', '.join(one.machines)})" if one.machines else ""
        yield one_line(f"{one.kind}{whose}: {one.happens}")
        yield f"    {one_line(one.meant)}"
    count = "no finding" if not found else f"{len(found)} finding{'s' * (len(found) > 1)}"
    yield f"{place} checked: {count}"


def _value(place: str, found: list[Finding]) -> dict[str, object]:
    values = [{**one._asdict(), "kind": str(one.kind)} for one in found]
    return {"schema": place, "findings": values}
