"""Docs are written in plain English: the words and sentences that they avoid.

Each entry of `WORDS` names a pattern and the plain word to write instead. A word is listed
for one of three reasons:

- It is vague where the field has a precise verb: a program does not *tell* a debugger
  something, it sends, reports, logs, shows or returns it.
- It is a private name of this project for something that has a common name: *stow* for
  spool, *retell* for replay, *desk* for selection, *guest* for tracer.
- It is archaic or ambiguous, so a reader has to stop: *whoever*, *anew*, *mend*.

`SENTENCES` lists sentence forms that have to be read twice: a condition without "if", and a
question word as the subject of a statement.

Only prose counts. Code blocks, code in backticks and the targets of links are removed
first, because names and output of programs are not prose. `UNCHECKED` lists the files that
are exempt, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WORDS = {
    r"tell|tells|told|telling": "report, send, log, show, return; distinguish for 'tell apart'",
    r"retell|retells|retold|retelling": "replay",
    r"stow|stows|stowed|stowing": "spool, store",
    r"desk|desks": "selection, reading state",
    r"house|houses": "program, process, project; `tests/house` in backticks is a path",
    r"guest|guests": "tracer, user code",
    r"ink": "spans",
    r"outlet|outlets": "sink",
    r"whoever|whomever": "the caller that, the thread that, everyone who",
    r"anew": "again",
    r"mend|mends|mended|mending": "fix, change",
    r"hears of|hear of|heard of": "is notified, receives",
    r"none the wiser|nobody the wiser|for good|of one's own": "say what happens",
    r"so to speak|in a manner of speaking|as it were": "leave it out",
}
"""Words that the docs avoid, as alternatives of a pattern, and what to write instead."""

SENTENCES = {
    r"(?:Is|Are|Has|Have|Was|Were|Had|Should)\b[^?]*,[^?]*$": "start with 'If'",
    r"(?:Who|Whom|Whichever)\b[^?]*[.,;:]$": "name the subject: a program that, a thread that",
}
"""Forms of a sentence that the docs avoid, and what to write instead."""


UNCHECKED = {
    "docs/map.md": "its rows are the first lines of modules; only its head is prose of its own",
}
"""Files that are not checked as a whole, and the reason."""


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
    """Every sentence with a word or a form that the docs avoid, with what to write instead."""
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
    checked = {path: text for path, text in texts.items() if path not in UNCHECKED}
    return {**checked, "docs/map.md (head)": head}


def test_docs_avoid_words_and_sentences_that_a_stranger_reads_twice(docs: dict[str, str]) -> None:
    """No page has an avoided word or an avoided form of a sentence."""
    found = [
        f"{path}: {sentence!r}: {better}"
        for path, text in docs.items()
        for sentence, better in avoided(text)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "An outage is told once.",
        "Is a called state missing now, the mutation is canceled.",
        "Who needs more threads gives the machine an executor.",
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
        "```python\nhouse = told()\n```",
        "`tests/house` checks it, see [the loop](house.md#told).",
    ],
)
def test_a_plain_sentence_is_not_found(text: str) -> None:
    """Questions, code and targets of links are no findings."""
    assert list(avoided(text)) == []
