"""The numbers and words of the protocol are those of `machine`, and stand in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import pytest

import machine as am
from amtracer.wire import vocabulary
from amtracer.wire.vocabulary import (
    LEVEL_WORDS,
    MUTATION_WORDS,
    RELATION_WORDS,
    LevelKind,
    MutationKind,
    RelationKind,
    StepKind,
)

if TYPE_CHECKING:
    from tests.house.conftest import Source

PAIRS: tuple[tuple[type[IntEnum], type[IntEnum]], ...] = (
    (MutationKind, am.MutationType),
    (RelationKind, am.Relation),
    (StepKind, am.StepType),
    (LevelKind, am.LogLevel),
)

TABLES = {"amtracer/wire/vocabulary.py", "machine/_enums.py"}
"""Modules that may list numbers and words: the protocol's and the library's own."""

NAMING = {"amtracer/wire/vocabulary.py"}
"""Modules that may make handler names, beside the folder `machine/_handlers`."""

STEP_WORDS = tuple(map(vocabulary.step_word, StepKind))
SEQUENCES = (MUTATION_WORDS[:3], RELATION_WORDS, STEP_WORDS, LEVEL_WORDS)
WORDS_MIN = 3
"""From so many words of one sequence in order, a literal is a second table."""

BITS = [1, 2, 4, 8, 16, 32, 64]
SUFFIXES = {"Enter", "Exit", "State", "End"}
SUFFIXES_MIN = 3
"""From so many suffixes, a function makes handler names."""


def literals(tree: ast.AST) -> Iterator[tuple[int, list[object]]]:
    """Line and constants of every list, tuple, set and dict; of a dict, keys and values apart."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield node.lineno, constants(node.elts)
        elif isinstance(node, ast.Dict):
            yield node.lineno, constants(node.keys)
            yield node.lineno, constants(node.values)


def constants(nodes: Sequence[ast.expr | None]) -> list[object]:
    return [node.value for node in nodes if isinstance(node, ast.Constant)]


def assigned(tree: ast.AST) -> Iterator[tuple[int, list[object]]]:
    """Line and constants assigned in the body of every module and class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            values = [one.value for one in node.body if isinstance(one, ast.Assign)]
            yield getattr(node, "lineno", 1), constants(values)


def has_run(found: Sequence[object], run: Sequence[object]) -> bool:
    """Whether some values contain a sequence, without others between."""
    size = len(run)
    return any(list(found[at : at + size]) == list(run) for at in range(len(found) - size + 1))


def second_tables(tree: ast.AST) -> Iterator[int]:
    """Lines of literals that repeat words of the vocabulary in their order, or its bits."""
    runs = [words[at : at + WORDS_MIN] for words in SEQUENCES for at in range(len(words) - 2)]
    for line, found in literals(tree):
        lowered = [one.lower() if isinstance(one, str) else one for one in found]
        if has_run(lowered, BITS) or any(has_run(lowered, run) for run in runs):
            yield line
    yield from (line for line, found in assigned(tree) if has_run(found, BITS))


def name_makers(tree: ast.AST) -> Iterator[str]:
    """Functions whose strings are the suffixes of handlers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
            if len(texts & SUFFIXES) >= SUFFIXES_MIN:
                yield node.name


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda kinds: kinds.__name__)
def test_kinds_are_those_of_the_library(ours: type[IntEnum], theirs: type[IntEnum]) -> None:
    """Each kind of the protocol has the number and the name that `machine` gives it."""
    assert {kind.name: int(kind) for kind in ours} == {kind.name: int(kind) for kind in theirs}


def test_words_are_those_of_the_library() -> None:
    """The word for each number is the text that `machine` writes."""
    assert tuple(map(str, am.MutationType)) == MUTATION_WORDS
    assert tuple(map(str, am.Relation)) == RELATION_WORDS
    assert tuple(map(str, am.StepType)) == STEP_WORDS
    assert tuple(map(str, am.LogLevel)) == LEVEL_WORDS


def test_transition_ids_follow_the_rule_of_the_protocol() -> None:
    """The id of a transition is the prefix of its machine and its number."""
    seen: list[am.Transition] = []

    class Keeping(am.Tracer):
        def transition_end(self, tx: am.Transition) -> None:
            seen.append(tx)

    mach = am.Machine(None, {"A": am.State()})
    mach.bind_tracer(Keeping())
    mach.add1("A")

    assert seen[0].id == vocabulary.join_tx(mach.tx_prefix, seen[0].number)


def test_numbers_and_words_stand_in_one_place(sources: list[Source]) -> None:
    """No other module lists the words of the vocabulary in their order, or the bits of steps."""
    found = [
        f"{source.path}:{line}"
        for source in sources
        if source.path not in TABLES
        for line in second_tables(source.tree)
    ]

    assert found == []


def test_handler_names_are_made_in_one_place(sources: list[Source]) -> None:
    """No other function of the tracer or the debugger puts handler names together."""
    found = [
        f"{source.path}: {name}"
        for source in sources
        if source.path not in NAMING and not source.path.startswith("machine/_handlers/")
        for name in name_makers(source.tree)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        'NAMES = ("add", "remove", "set")',
        'NAMES = {0: "after", 1: "add", 2: "require", 3: "remove"}',
        'SIGNS = {"Add": "+", "Remove": "-", "Set": "="}',
        'LEVELS = ["nothing", "changes", "ops"]',
        "BITS = (1, 2, 4, 8, 16, 32, 64)",
        "class Kind:\n A = 1\n B = 2\n C = 4\n D = 8\n E = 16\n F = 32\n G = 64",
    ],
)
def test_a_second_table_is_found(text: str) -> None:
    """Literals, classes and modules are searched."""
    assert list(second_tables(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        'NAMES = ("add", "remove")',
        'FIELDS = ("require", "add", "remove", "after")',
        "SIZES = (1, 2, 4, 8)",
    ],
)
def test_other_lists_are_no_tables(text: str) -> None:
    """Two words, words in another order and shorter runs are allowed."""
    assert list(second_tables(ast.parse(text))) == []


def test_a_maker_of_handler_names_is_found() -> None:
    """Its suffixes give it away, also inside of f-strings."""
    text = 'def name(s, e): return f"{s}Enter" if e else f"{s}Exit" or s + "State"'

    assert list(name_makers(ast.parse(text))) == ["name"]
