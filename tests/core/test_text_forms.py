"""How a machine reads as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from machine import State
from machine._machine.text import inspect, string, string_all
from machine._schema.sharing import schema_of

SCHEMA = schema_of(
    {
        "A": State(auto=True, require="C"),
        "B": State(multi=True, add=("C", "D"), remove=()),
        "C": State(after="D"),
        "D": State(add=["C", "B"]),
    }
)


def test_the_short_text_shows_active_states_with_ticks() -> None:
    """In the order of the states; nothing active is an empty pair of parentheses."""
    assert string("ABC", [1, 0, 3]) == "(A:1 C:3)"
    assert string("ABC", [0, 2, 4]) == "()"
    assert string([], []) == "()"


def test_the_long_text_shows_inactive_states_too() -> None:
    """Active states in parentheses, inactive ones in brackets."""
    assert string_all("ABCD", [1, 0, 3, 2]) == "(A:1 C:3) [B:0 D:2]"
    assert string_all("A", [1]) == "(A:1) []"


@given(st.dictionaries(st.text("ABC", min_size=1), st.integers(0, 99)))
def test_every_state_is_in_the_long_text_once(clock: dict[str, int]) -> None:
    """With its tick, on the side of its parity."""
    active, inactive = string_all(list(clock), list(clock.values())).split(") [")

    for name, tick in clock.items():
        side, other = (active, inactive) if tick % 2 else (inactive, active)
        assert f"{name}:{tick}" in side.strip("([]").split()
        assert f"{name}:{tick}" not in other.strip("([]").split()


def test_a_state_is_inspected_as_a_block() -> None:
    """Flags only when set, relations only when given, labels in one column."""
    assert inspect(SCHEMA, [1, 0, 1, 0, 0], ["A", "B"]) == (
        "A:\n"
        "  State:   true 1\n"
        "  Auto:    true\n"
        "  Require: C\n"
        "\n"
        "B:\n"
        "  State:   false 0\n"
        "  Multi:   true\n"
        "  Add:     C D\n"
        "  Remove:  \n"
        "\n"
    )


def test_all_states_are_inspected_in_their_order() -> None:
    """Without names the whole schema is shown."""
    text = inspect(SCHEMA, [0, 0, 2, 0, 0])

    assert [line for line in text.splitlines() if not line.startswith("  ")] == [
        "A:",
        "",
        "B:",
        "",
        "C:",
        "",
        "D:",
        "",
        "Exception:",
        "",
    ]
    assert "C:\n  State:   false 2\n  After:   D\n\n" in text
