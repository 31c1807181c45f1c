"""The files of the project for the tests of its rules, read once."""

from __future__ import annotations

import ast
import gc
import inspect
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = ("machine", "asyncmachine", "amtracer", "am_dbg")


@dataclass(frozen=True)
class Source:
    """A Python file of the project; `path` is as seen from the project's root."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[tuple[str, int]]:
        """Every call as dotted name and line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node

    def docstrings(self) -> Iterator[tuple[int, str]]:
        """The docstrings of modules, classes, functions and constants, each with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Expr) and is_text(node.value):
                yield node.lineno, inspect.cleandoc(ast.literal_eval(node.value))

    def messages(self, reporting: Collection[str]) -> Iterator[tuple[int, str]]:
        """The literal texts that are raised or passed to errors and to these functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                yield from literals(node.exc)
            elif isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in reporting or name.endswith(("Error", "Error_")):
                    yield from literals(node)


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts in an expression with their lines; values in an f-string become `{}`."""
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in part.values]
            yield part.lineno, "".join(map(str, parts))
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.lineno, part.value


def read(root: Path, *folders: str) -> list[Source]:
    """The files of folders; nothing is collected meanwhile.

    CPython 3.11 parses wrongly if a finalizer that it calls meanwhile formats a traceback, since
    that parses too.
    """
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return [
            Source(path.relative_to(root).as_posix(), text, ast.parse(text))
            for path in paths
            for text in [path.read_text(encoding="utf-8")]
        ]
    finally:
        if was_enabled:
            gc.enable()


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def sources(root: Path) -> list[Source]:
    """Every module of the packages."""
    return read(root, *PACKAGES)


@pytest.fixture(scope="session")
def test_sources(root: Path) -> list[Source]:
    """Every file of the tests."""
    return read(root, "tests")


@pytest.fixture(scope="session")
def root_texts(root: Path, sources: list[Source], test_sources: list[Source]) -> dict[str, str]:
    """Every text of the project by its path: code, tests, docs and top-level files."""
    papers = [*root.glob("*.md"), *(root / "docs").glob("*.md"), root / "Makefile"]
    papers += [root / "pyproject.toml", *(root / "examples").glob("*.py")]
    texts = {source.path: source.text for source in [*sources, *test_sources]}
    for path in papers:
        texts[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return texts


@pytest.fixture(scope="session")
def loaded(root: Path) -> Callable[..., set[str]]:
    """Returns the modules that an import loads in a fresh process, beyond a bare start."""

    def modules(names: tuple[str, ...]) -> set[str]:
        program = (
            "import importlib, sys\n"
            "for name in sys.argv[1:]: importlib.import_module(name)\n"
            "print('\\n'.join(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *names],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split())

    bare = modules(("importlib",))
    return lambda *names: modules(names) - bare
