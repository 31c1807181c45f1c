"""Errors and warnings of `machine`: one prefix each, and names of this library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import machine as am
from machine import errors

if TYPE_CHECKING:
    from tests.house.conftest import Source

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.MachineError)
]

WARNERS = {"warn", "failed", "log_failure"}


def camel(name: str) -> set[str]:
    """The names that a call has in other languages: `VerifyStates`, `verifyStates`."""
    words = name.strip("_").split("_")
    upper = "".join(word.capitalize() for word in words)
    return {upper, upper[:1].lower() + upper[1:]} if len(words) > 1 else set()


FOREIGN = {
    other
    for name in (*dir(am.Machine), *am.__all__, "import_states", "state_ctx")
    if not name.startswith("_") and not name[0].isupper()
    for other in camel(name)
} - {*am.__all__, *errors.__all__}


def of_machine(sources: list[Source]) -> list[tuple[str, int, str]]:
    return [
        (source.path, line, text)
        for source in sources
        if source.path.startswith("machine/")
        for line, text in source.messages(WARNERS)
    ]


def test_messages_use_the_names_of_this_library(sources: list[Source]) -> None:
    """No message has the name of a call in the style of another language."""
    found = of_machine(sources)
    foreign = [(*place, text) for *place, text in found if FOREIGN & set(re.findall(r"\w+", text))]

    assert len(found) > 100
    assert foreign == []


def test_messages_have_only_the_prefix_of_their_class(sources: list[Source]) -> None:
    """No literal text repeats the prefix that the class of an error adds."""
    prefixes = [kind.prefix for kind in CLASSES]
    begin = re.compile(rf"(error|warning|{'|'.join(map(re.escape, prefixes))})\b:", re.IGNORECASE)
    places = [(path, text) for path, _, text in of_machine(sources) if begin.match(text)]

    assert places == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_text_of_an_error_begins_with_the_prefix_of_its_class(
    kind: type[errors.MachineError],
) -> None:
    """The prefix occurs once, in lower case, and no two classes have the same."""
    error = errors.StateMissingError([], detail="why") if "names" in dir(kind) else kind("why")
    others = [other.prefix for other in CLASSES if other is not kind]

    assert str(error).startswith(f"{type(error).prefix}: ")
    assert str(error).count(type(error).prefix) == 1
    assert re.fullmatch(r"[a-z ]+", kind.prefix)
    assert kind.prefix not in others


def test_no_error_is_only_of_the_base_class(sources: list[Source]) -> None:
    """Each error has a class of its own, since `machine error` is no useful prefix."""
    raising = [
        source.path
        for source in sources
        for name, _ in source.calls()
        if name.rpartition(".")[2] == "MachineError"
    ]

    assert raising == []


def test_a_suggestion_is_part_of_the_text() -> None:
    """Log lines and `str` show it, which is not true of a note."""
    with pytest.raises(errors.StateMissingError, match=r"; did you mean Connected\?$") as caught:
        am.Machine(None, {"Connected": am.State()}).add1("Conected")

    assert not hasattr(caught.value, "__notes__")
