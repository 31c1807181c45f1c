"""README and docs match the code."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import machine as am
from am_dbg.cli.commands import command

LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    """Every Markdown file of the project."""
    paths = [
        path
        for place in (".", "docs", "exports", "benchmarks")
        for path in (root / place).glob("*.md")
    ]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture(scope="module")
def writer(root: Path) -> dict[str, Any]:
    """The names of `docs/write.py`, which `make docs` runs."""
    return runpy.run_path(str(root / "docs" / "write.py"))


def blocks(text: str, language: str) -> list[str]:
    return [body for name, body in BLOCK.findall(text) if name == language]


def make_targets(root: Path) -> set[str]:
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", text, re.MULTILINE))


def test_the_map_has_every_module(root: Path, writer: dict[str, Any]) -> None:
    """docs/map.md is what `make docs` writes: one line for each module, from its docstring."""
    assert (root / "docs" / "map.md").read_text(encoding="utf-8") == writer["map_text"]()


def test_every_module_in_the_repository_is_in_the_map(root: Path) -> None:
    """docs/map.md lists every module that is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "machine", "asyncmachine", "amtracer", "am_dbg"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no repository here, only its files")
    text = (root / "docs" / "map.md").read_text(encoding="utf-8")
    modules = [
        path for path in listed.stdout.split() if path.endswith(".py") and path.count("/") > 0
    ]
    package_inits = {
        f"{name}/__init__.py" for name in ("machine", "asyncmachine", "amtracer", "am_dbg")
    }

    assert [path for path in modules if f"`{path}`" not in text and path not in package_inits] == []


def test_the_readme_has_the_keys_of_the_program(root: Path, writer: dict[str, Any]) -> None:
    """The table of keys in the README is what `make docs` makes of am_dbg/keys.py."""
    assert (root / "README.md").read_text(encoding="utf-8") == writer["readme_text"]()


def test_the_page_of_keys_has_the_keys_of_the_program(root: Path, writer: dict[str, Any]) -> None:
    """docs/keys.md is what `make docs` makes of am_dbg/keys.py."""
    assert (root / "docs" / "keys.md").read_text(encoding="utf-8") == writer["all_keys_text"]()


def test_links_between_pages_have_a_target(root: Path, pages: dict[str, str]) -> None:
    """A link to a file of the project leads to an existing file."""
    dead = [
        (page, target)
        for page, text in pages.items()
        for target in LINK.findall(text)
        if "://" not in target and not (root / page).parent.joinpath(target).exists()
    ]

    assert dead == []


def test_the_readme_begins_with_two_commands(root: Path) -> None:
    """The first block of the README is `make demo` and `make test`, nothing else."""
    first = blocks((root / "README.md").read_text(encoding="utf-8"), "sh")[0]

    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


def test_continuous_integration_runs_all_checks(root: Path) -> None:
    """`.ci/run` runs all parts of `make check`, each once, and the README's test command last."""
    text = (root / ".ci" / "run").read_text(encoding="utf-8")
    targets = re.findall(r"^make .*?(\w+)$", text, re.MULTILINE)
    checks = re.search(r"^check: (.+?) ##", (root / "Makefile").read_text(), re.MULTILINE)

    assert checks is not None
    assert targets == checks[1].split() == ["quick", "lowest", "package", "test"]


def test_pages_name_only_targets_that_exist(root: Path, pages: dict[str, str]) -> None:
    """Every `make` target that a page names is in the Makefile."""
    named = {
        target
        for text in pages.values()
        for place in [*blocks(text, "sh"), *re.findall(r"`(make [^`]+)`", text)]
        for target in re.findall(r"^\s*make ([a-z]+)", place, re.MULTILINE)
    }

    assert {"demo", "test", "check", "format", "docs"} <= named
    assert named <= make_targets(root)


def test_the_readme_names_every_command(root: Path) -> None:
    """The table of commands in the README lists all commands of `am-dbg`."""
    text = (root / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `am-dbg ([a-z]+)", text, re.MULTILINE))

    assert named == set(command.commands)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/map.md"])
def test_files_that_a_page_names_exist(page: str, root: Path) -> None:
    """A path that begins with a folder of the project exists."""
    text = (root / page).read_text(encoding="utf-8")
    folders = "machine|amtracer|am_dbg|examples|exports|docs|tests|benchmarks"
    named = set(re.findall(rf"(?<![\w/])(?:{folders})/[\w./-]*\w", text))

    assert [path for path in sorted(named) if not (root / path).exists()] == []


@pytest.mark.parametrize("number", range(3))
def test_readme_programs_run(
    number: int, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every program in the README runs and prints what its comments show."""
    programs = blocks((root / "README.md").read_text(encoding="utf-8"), "python")
    assert len(programs) == 3
    monkeypatch.chdir(root)

    exec(compile(programs[number], f"README.md program {number}", "exec"), {"__name__": "readme"})

    shown = re.findall(r"^print\(.*\)\s+# (.+)$", programs[number], re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == shown


def test_the_readme_shows_what_commands_print(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `console` block in the README has the output of its command, line by line."""
    (block,) = blocks((root / "README.md").read_text(encoding="utf-8"), "console")
    first, _, output = block.partition("\n")
    monkeypatch.chdir(root)

    shown = CliRunner().invoke(command, first.removeprefix("$ am-dbg ").split())

    assert shown.exit_code == 0
    assert shown.stdout == output


def test_the_changelog_has_the_version_of_the_package(root: Path, pages: dict[str, str]) -> None:
    """The newest version of the changelog is the version of the package."""
    shown = re.findall(r"^## \[(\d[^\]]*)\]", pages["CHANGELOG.md"], re.MULTILINE)

    assert shown[0] == am.__version__


def test_the_glossary_has_the_central_words(pages: dict[str, str]) -> None:
    """The glossary explains the words that all docs use."""
    words = (
        "mutation transition step tick clock time relation handler queue tracer client session "
        "stream segment shape batch cursor projection gap record sink spool track watched"
    )
    entries = re.findall(r"^\| ([^|]+?) \|", pages["docs/glossary.md"], re.MULTILINE)

    assert set(words.split()) <= {entry for line in entries for entry in line.split(", ")}
