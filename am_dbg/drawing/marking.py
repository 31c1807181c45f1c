"""Underlines the text of a search in a row."""

from __future__ import annotations

from collections.abc import Iterable

from am_dbg.query.terms import ignores_case
from am_dbg.spans import Role, Span


def marked(spans: Iterable[Span], needle: str) -> list[Span]:
    """The spans with every occurrence of the needle underlined.

    A needle without capitals is found in any case, as in searches.
    """
    listed = list(spans)
    if not needle:
        return listed
    parts: list[Span] = []
    for span in listed:
        parts.extend(_split(span, needle))
    return parts


def _split(span: Span, needle: str) -> Iterable[Span]:
    text = span.text.lower() if ignores_case(needle) else span.text
    if len(text) != len(span.text):
        yield span
        return
    start = 0
    at = text.find(needle)
    while at >= 0:
        if at > start:
            yield span._replace(text=span.text[start:at])
        end = at + len(needle)
        role = Role.CANCELED if span.role is Role.QUIET else span.role
        yield span._replace(text=span.text[at:end], underline=True, bold=True, role=role)
        start = end
        at = text.find(needle, start)
    if start < len(span.text):
        yield span._replace(text=span.text[start:])
