"""Underlines the text of a search in a row."""

from __future__ import annotations

from collections.abc import Iterable

from am_dbg.spans import Ink, Run


def marked(runs: Iterable[Run], needle: str) -> list[Run]:
    """The runs with every occurrence of the needle underlined.

    A needle without capitals is found in any case, as in searches.
    """
    listed = list(runs)
    if not needle:
        return listed
    parts: list[Run] = []
    for run in listed:
        parts.extend(_split(run, needle))
    return parts


def _split(run: Run, needle: str) -> Iterable[Run]:
    text = run.text if needle != needle.lower() else run.text.lower()
    if len(text) != len(run.text):
        yield run
        return
    start = 0
    at = text.find(needle)
    while at >= 0:
        if at > start:
            yield run._replace(text=run.text[start:at])
        end = at + len(needle)
        ink = Ink.CANCELED if run.ink is Ink.QUIET else run.ink
        yield run._replace(text=run.text[at:end], underline=True, bold=True, ink=ink)
        start = end
        at = text.find(needle, start)
    if start < len(run.text):
        yield run._replace(text=run.text[start:])
