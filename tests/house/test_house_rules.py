"""Rules of the code that no linter checks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.house.conftest import Source

NAMES_FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc"}

PUBLIC_HELPERS = "machine.helpers"
"""The one exception: programs know these calls by the name of the package of the original."""

USER_CODE = "protects the machine from user code"

BROAD_EXCEPTS = {
    ("machine/_calling/calling.py", "_call_one"): USER_CODE,
    ("machine/_calling/calling.py", "outcome_of"): USER_CODE,
    ("machine/_engine/draining.py", "_end_drain"): "protects the program from a tracer",
    ("machine/_machine/evaluating.py", "run"): "hands the error to the caller of eval",
    ("machine/_calling/thread.py", "run"): "raised again in the thread that drains",
    ("machine/_waiting/latch.py", "call_all"): USER_CODE,
    ("machine/_waiting/latch.py", "call_each"): USER_CODE,
    ("machine/_engine/recovery.py", "_end_transition"): "protects the program from a tracer",
    ("machine/_waiting/timers.py", "call_logged"): "protects the other deadlines",
    ("machine/_transition/tracing.py", "fire"): "protects the program from a tracer",
    ("machine/_transition/tracing.py", "fire_one"): "protects the program from a tracer",
    ("machine/_waiting/kinds.py", "answer"): USER_CODE,
    ("machine/_waiting/kinds.py", "matches"): USER_CODE,
    ("machine/_engine/unwatched.py", "run_unwatched"): USER_CODE,
    ("machine/_engine/traced.py", "run_traced"): "protects the program from a tracer",
    ("machine/_engine/walk.py", "report_start"): "protects the program from a tracer",
    ("machine/_engine/walk.py", "conclude"): "protects the program from a tracer",
    (
        "amtracer/tracer/healthcheck.py",
        "_add_state",
    ): "protects the others from one machine's handlers",
    ("amtracer/safe_repr/redacting.py", "__call__"): "protects what is to be hidden",
    ("amtracer/safe_repr/redacting.py", "texts"): "protects what is to be hidden",
    ("amtracer/send/sender.py", "_guarded_round"): "protects the program from a tracer",
    ("am_dbg/cli/check_schema.py", "_module"): USER_CODE,
    ("am_dbg/ingest/connections.py", "_guarded"): "protects the other connections",
    ("am_dbg/projection/faults.py", "attempt"): "protects the session from a fault of its screen",
}
"""The broad excepts: file and function, and what each of them protects."""

EXECUTING = {"eval", "exec", "compile", "__import__", "execfile"}
EXECUTING_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "runpy"}


def broad_excepts(source: Source) -> Iterator[tuple[str, str]]:
    """File and function of every handler that catches all exceptions."""
    for function in source.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and is_broad(node):
                yield source.path, function.name


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches all exceptions and does not raise them again."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(one) in ("Exception", "BaseException") for one in caught)


def imported(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_module_has_a_purpose(sources: list[Source]) -> None:
    """The docstring of a module begins with one line that describes its purpose."""
    silent = [
        source.path
        for source in sources
        if not re.match(r"\S.*[.:]$", (ast.get_docstring(source.tree) or "").partition("\n")[0])
    ]

    assert silent == []


def test_no_module_has_a_vague_name(sources: list[Source]) -> None:
    """A module's name describes its purpose."""
    names = [one.module for one in sources if not one.module.endswith(PUBLIC_HELPERS)]
    parts = {part for name in names for part in name.removeprefix(PUBLIC_HELPERS).split(".")}

    assert not {part.strip("_") for part in parts} & NAMES_FORBIDDEN


def test_nothing_prints(sources: list[Source]) -> None:
    """A package writes to streams that it checks; `print` disturbs the output of its program."""
    assert [source.path for source in sources if "print" in dict(source.calls())] == []


def test_all_exceptions_are_caught_only_at_borders(sources: list[Source]) -> None:
    """A broad except is only where user code or a fault must not stop the program."""
    found = {place for source in sources for place in broad_excepts(source)}

    assert found == set(BROAD_EXCEPTS)


def test_nothing_from_outside_is_executed(sources: list[Source]) -> None:
    """No package evaluates text or loads a format that can run code."""
    executing = [
        (source.path, name)
        for source in sources
        for name in [*(name for name, _ in source.calls()), *imported(source)]
        if name in EXECUTING or name.partition(".")[0] in EXECUTING_MODULES
    ]

    assert executing == []


def test_no_unfinished_work_is_noted_in_the_code(
    sources: list[Source], test_sources: list[Source]
) -> None:
    """Open work is not recorded in the code."""
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    left = [source.path for source in [*sources, *test_sources] if words.search(source.text)]

    assert left == []


def test_no_file_contains_an_absolute_path(root_texts: dict[str, str]) -> None:
    """The project works in any folder."""
    place = re.compile(r"(?<![\w.])/(work|root|home)/")
    found = [path for path, text in root_texts.items() if place.search(text)]

    assert found == []
