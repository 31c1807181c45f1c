"""The keys that matter most in each pane, with the word that they have there.

A key may do something else while a pane has the focus: arrows pick a state in the rain and a
step in the row of steps. The footer and the help begin with the keys of the focused pane. The
names of panes are those of `am_dbg.drawing.layout.Pane`; a pane that is not in the table has no
keys of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from am_dbg.keys import FOOTER_ENDS, FOOTER_NARROW, KEYS, Hint, Key, by_action, sign_of

PANE_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "machines": (
        ("down", "machine"),
        ("choose", "open"),
        ("sort_machines", "sort"),
        ("filter_query", "filter"),
        ("remove_machine", "remove"),
        ("hide_ended", "ended"),
    ),
    "states": (
        ("down", "state"),
        ("choose", "unfold"),
        ("unfold_all", "all"),
        ("why", "why"),
        ("next_same_state", "its tx"),
    ),
    "log": (
        ("next_transition", "tx"),
        ("next_error", "error"),
        ("errors", "list"),
        ("scope", "scope"),
        ("search", "search"),
        ("choose", "reader"),
    ),
    "rain": (("next_transition", "state"), ("down", "tx"), ("next_same_state", "its tx")),
    "matrix": (("down", "scroll"), ("next_transition", "tx")),
    "reader": (("down", "row"), ("choose", "follow")),
    "detail": (
        ("escape", "close"),
        ("next_pane", "tab"),
        ("down", "scroll"),
        ("next_transition", "tx"),
        ("search", "search"),
        ("copy", "copy"),
        ("wrap", "wrap"),
    ),
    "timeline": (("next_transition", "tx"), ("page_down", "50 tx")),
    "steps": (("next_transition", "step"), ("down", "tx")),
    "filters": (("next_transition", "pick"), ("toggle_play", "switch"), ("escape", "back")),
}
"""Actions and their words, by pane."""

_PAIRS = {
    "next_transition": ("right", "←→"),
    "next_same_state": ("shift+right", "⇧←→"),
    "down": ("down", "↑↓"),
    "page_down": ("pagedown", "PgUp/Dn"),
}
"""Actions that the footer shows with the key of their opposite, unless the user changed it."""


def footer_hints(
    table: Sequence[Key] = KEYS, *, pane: str = "", narrow: bool = False
) -> tuple[Hint, ...]:
    """The keys that the left part of the footer shows: those of the pane first."""
    actions = by_action(table)
    own = PANE_KEYS.get(pane, ())
    taken = {action for action, _ in own}
    rest = [key for key in _ranked(table, narrow=narrow) if key.action not in taken]
    hints = [(actions[action], word) for action, word in own if action in actions]
    hints += [(key, key.hint) for key in rest]
    return tuple((_sign(key), word, key.action) for key, word in hints if key.all_keys)


def footer_ends(table: Sequence[Key] = KEYS) -> tuple[Hint, ...]:
    """The keys at the right end of the footer, which are always there."""
    actions = by_action(table)
    ends = (actions[action] for action in FOOTER_ENDS)
    return tuple((_sign(key), key.hint, key.action) for key in ends if key.all_keys)


def pane_rows(pane: str, table: Sequence[Key] = KEYS) -> tuple[tuple[str, str], ...]:
    """The keys of a pane with what they do there, for the help."""
    actions = by_action(table)
    return tuple(
        (_sign(actions[action]), word if word in _WORDS else actions[action].help)
        for action, word in PANE_KEYS.get(pane, ())
        if action in actions and actions[action].all_keys
    )


_WORDS = {"pick", "switch", "back", "scroll", "step", "50 tx", "row", "follow", "close", "tab"}
"""Words that say more about a pane than the help of the action does."""


def _ranked(table: Sequence[Key], *, narrow: bool) -> Iterable[Key]:
    if narrow:
        actions = by_action(table)
        return [actions[action] for action in FOOTER_NARROW]
    ranked = sorted((key for key in table if key.rank), key=lambda key: key.rank)
    return [key for key in ranked if key.action not in (*FOOTER_ENDS, "next_pane")]


def _sign(key: Key) -> str:
    """The first key; both keys of a pair unless the user changed them."""
    pair = _PAIRS.get(key.action)
    if pair and key.keys and key.keys[0] == pair[0]:
        return pair[1]
    return sign_of(key.all_keys[0])
