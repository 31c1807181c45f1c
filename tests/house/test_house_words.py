"""Docs, docstrings and messages are plain English: the words and sentences that they avoid.

Each entry of `WORDS` names a pattern and the plain word to write instead. A word is listed
for one of three reasons:

- It is vague where the field has a precise verb: a program does not `tell` a debugger
  something, it sends, reports, logs, shows or returns it.
- It is a private name of this project for something that has a common name: `stow` for
  spool, `retell` for replay, `desk` for selection, `guest` for tracer.
- It is archaic or ambiguous, so a reader has to stop: `whoever`, `anew`, `mend`.

`SENTENCES` lists forms of sentences that have to be read twice: a condition without "if", a
question without a question mark, and a question word as the subject of a statement.

Only prose counts. Code blocks, code in backticks and the targets of links are removed
first, because names and output of programs are not prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import conftest

if TYPE_CHECKING:
    from tests.house.conftest import Source

WORDS = {
    r"tell|tells|told|telling": "report, send, log, show, return; distinguish for 'tell apart'",
    r"retell|retells|retold|retelling": "replay",
    r"hear|hears|heard": "receive, be notified",
    r"stow|stows|stowed|stowing": "spool, store",
    r"desk|desks": "selection, reading state",
    r"house|houses": "program, process, project; `tests/house` in backticks is a path",
    r"guest|guests": "tracer, user code",
    r"ink": "spans",
    r"outlet|outlets": "sink",
    r"whom|whoever|whomever": "the caller that, the thread that, everyone who",
    r"somebody|anybody|everybody": "name the subject: a thread, a caller, a machine",
    r"anew": "again",
    r"mend|mends|mended|mending": "fix, change",
    r"in vain": "without effect",
    r"works off|worked off|working off": "drain",
    r"none the wiser|nobody the wiser|for good|of one's own": "say what happens",
    r"so to speak|in a manner of speaking|as it were": "leave it out",
}
"""Words to avoid, as alternatives of a pattern, and what to write instead."""

SENTENCES = {
    r"(?:Is|Are|Has|Was|Were|Had|Should|Did|Does (?!not))\b[^?]*$": "start with 'If', 'Whether'",
    r"(?:May|Can) (?:this|these|the|it|they|both)\b[^?]*$": "start with 'Whether'",
    r"(?:Who|Whom|Whichever)\b[^?]*[.,;:]$": "name the subject: a program that, a thread that",
    r"What\b[^?,;:]*\b(?:is|are|was|were)\b[^?,;:]*\b(?:is|are|was|were)\b": (
        "name the subject: a text that, transitions that"
    ),
}
"""Forms of a sentence to avoid, and what to write instead."""

REPORTING = {
    *("warn", "warning", "error", "info", "debug", "exception", "log", "failed", "log_error"),
    *("report", "warned", "notice", "Notice", "write_message", "fail", "echo", "option"),
    "__init__",
}
"""Functions whose literal arguments people read, besides the constructors of errors."""

CHECKED = ("am_dbg/", "amtracer/", "benchmarks/", "docs/", "examples/", "machine/", "tests/")
"""The beginnings of paths whose docstrings and messages are checked."""

UNCHECKED_PAGES = {"docs/map.md"}
"""Pages that are made of docstrings, apart from their head."""


def prose(text: str) -> str:
    """The text without code blocks, comments, code in backticks and the targets of links."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"(`+).+?\1", "CODE", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text: paragraphs, items of lists and cells of tables, cut at each end."""
    for block in re.split(r"\n\s*\n|\n(?=\s*[-|#])|\|", prose(text)):
        line = " ".join(block.split()).lstrip("-# ").replace("**", "")
        yield from re.split(r"(?<=[.?!:;]) ", line)


def avoided(text: str) -> Iterator[tuple[str, str]]:
    """Every sentence with a word or a form to avoid, with what to write instead."""
    for sentence in sentences(text):
        for words, better in WORDS.items():
            if re.search(rf"\b(?:{words})\b", sentence, re.IGNORECASE):
                yield sentence, better
        for form, better in SENTENCES.items():
            if re.match(form, sentence):
                yield sentence, better


@pytest.fixture(scope="module")
def docs(root: Path) -> dict[str, str]:
    """The checked docs by path, and the head of the map."""
    paths = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "exports").glob("*.md")]
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    head, _, _ = texts["docs/map.md"].partition("\n## machine\n")
    checked = {path: text for path, text in texts.items() if path not in UNCHECKED_PAGES}
    return {**checked, "docs/map.md (head)": head}


@pytest.fixture(scope="module")
def checked(root: Path) -> list[Source]:
    """The Python files whose texts are checked."""
    folders = {path.partition("/")[0] for path in CHECKED}
    return [one for one in conftest.read(root, *folders) if one.path.startswith(CHECKED)]


def test_docs_are_plain_english(docs: dict[str, str]) -> None:
    """No page has a word or a form of a sentence to avoid."""
    found = [
        f"{path}: {sentence!r}: {better}"
        for path, text in docs.items()
        for sentence, better in avoided(text)
    ]

    assert found == []


def test_docstrings_are_plain_english(checked: list[Source]) -> None:
    """No docstring has a word or a form of a sentence to avoid."""
    found = [
        f"{source.path}:{line}: {sentence!r}: {better}"
        for source in checked
        for line, text in source.docstrings()
        for sentence, better in avoided(text)
    ]

    assert found == []


def test_messages_are_plain_english(checked: list[Source]) -> None:
    """No text that is raised, logged or printed has a word or a form of a sentence to avoid."""
    found = [
        f"{source.path}:{line}: {sentence!r}: {better}"
        for source in checked
        for line, text in source.messages(REPORTING)
        for sentence, better in avoided(text)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "An outage is told once.",
        "Is a called state missing now, the mutation is canceled.",
        "Is this the border of a handler thread.",
        "Does the loop run in this thread.",
        "May this call enter a full queue: only an error may.",
        "Who needs more threads gives the machine an executor.",
        "What is not declared is not shown: a field, for example.",
        "| a cell | what was told |",
        "- The first item.\n- The debugger\n  tells it.",
    ],
)
def test_an_avoided_sentence_is_found(text: str) -> None:
    """Words and forms are found in sentences, lists and tables, across line ends."""
    assert list(avoided(text))


@pytest.mark.parametrize(
    "text",
    [
        "An outage is logged once.",
        "If a called state is missing, the mutation is canceled.",
        "Is Wet active, or is Dry?",
        "What log lines show of typed arguments.",
        "May be called from any thread.",
        "```python\nhouse = told()\n```",
        "`tests/house` checks it, see [the loop](house.md#told).",
    ],
)
def test_a_plain_sentence_is_not_found(text: str) -> None:
    """Questions, code and targets of links are not found."""
    assert list(avoided(text)) == []
