"""The table of all key bindings of the debugger.

Bindings, the footer, the help dialog and the tables of the docs are made from it. Keys have
Textual's names. `reference` lists the keys of the Go debugger that do the same, as aliases. An
`action` is the name of a method of one of the parts of control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Group(Enum):
    """The sections of the help."""

    MOVING = "Moving in time"
    JUMPING = "Jumping"
    PANES = "Panes"
    VIEWS = "Views and filters"
    TOOLS = "Tools"


@dataclass(frozen=True, slots=True)
class Key:
    """One action with its keys; `hint` is its word in the footer, `rank` its place there."""

    action: str
    keys: tuple[str, ...]
    help: str
    group: Group
    hint: str = ""
    rank: int = 0
    reference: tuple[str, ...] = ()

    @property
    def all_keys(self) -> tuple[str, ...]:
        return (*self.keys, *self.reference)


M, J, P, V, T = Group.MOVING, Group.JUMPING, Group.PANES, Group.VIEWS, Group.TOOLS

KEYS: tuple[Key, ...] = (
    Key("next_transition", ("right",), "next transition; next step in the steps row", M, "tx", 1),
    Key("previous_transition", ("left",), "previous transition, or step", M),
    Key("next_step", ("full_stop",), "next step, from any pane", M),
    Key("previous_step", ("comma",), "previous step, from any pane", M),
    Key("first", ("home",), "before the first transition: the initial structure", M),
    Key("last", ("end",), "last transition", M),
    Key("toggle_play", ("space",), "play, or pause", M, "play", 10),
    Key("slower", ("p",), "play slower", M),
    Key("faster", ("P",), "play faster", M),
    Key("tail", ("t",), "follow the newest transition", M, "tail", 11, ("alt+v",)),
    Key(
        "next_same_state",
        ("shift+right",),
        "next transition of the selected state, or 50 on",
        J,
        "state",
        2,
        ("alt+right", "alt+l"),
    ),
    Key(
        "previous_same_state",
        ("shift+left",),
        "previous transition of the selected state, or 50 back",
        J,
        reference=("alt+left", "alt+h"),
    ),
    Key("next_error", ("e",), "next error", J, "error", 3),
    Key("previous_error", ("E",), "previous error", J),
    Key("next_canceled", ("c",), "next canceled transition", J, "canceled", 4),
    Key("previous_canceled", ("C",), "previous canceled transition", J),
    Key("scope", ("A",), "scope of jumps and of the log: this machine, or all", J, "scope", 4),
    Key("errors", ("exclamation_mark",), "list the errors of all machines", J, "list", 3),
    Key("choose_machine", ("asterisk",), "choose this machine for the scope of all", J),
    Key("search", ("slash",), "search in the focused pane as you type", J, "search", 5),
    Key("next_hit", ("n",), "next hit", J),
    Key("previous_hit", ("N",), "previous hit", J),
    Key(
        "why",
        ("w",),
        "explain an inactive state; else go to its last change",
        J,
        "why",
        6,
    ),
    Key("source", ("s",), "go to the transition that caused this one", J, "source", 3),
    Key(
        "goto", ("g",), "go to a number, a machine time, a wall time or an address", J, "go to", 14
    ),
    Key("back", ("left_square_bracket",), "back in the history", J),
    Key("forward", ("right_square_bracket",), "forward in the history", J),
    Key("bookmark", ("b",), "set or remove a bookmark", J, "mark", 8),
    Key("bookmarks", ("apostrophe",), "list the bookmarks", J),
    Key("diff", ("d",), "difference between the last bookmark and here", J, "diff", 9),
    Key("next_pane", ("tab",), "next pane", P, "pane", 16),
    Key("previous_pane", ("shift+tab",), "previous pane", P),
    Key("down", ("down", "j"), "down in the focused pane", P),
    Key("up", ("up", "k"), "up in the focused pane", P),
    Key("page_down", ("pagedown",), "a page down", P, reference=("alt+j",)),
    Key("page_up", ("pageup",), "a page up", P, reference=("alt+k",)),
    Key("choose", ("enter",), "unfold a state, follow a reference or a source", P),
    Key("unfold_all", ("o",), "unfold or fold all states", P, reference=("alt+e",)),
    Key(
        "escape",
        ("escape",),
        "close, end zoom or search, or go to the machines",
        P,
    ),
    Key("zoom", ("z",), "zoom the focused pane, or end that", P, "zoom", 16),
    Key("narrower", ("less_than_sign",), "make the focused pane narrower", P),
    Key("wider", ("greater_than_sign",), "make the focused pane wider", P),
    Key("remove_machine", ("backspace",), "remove the machine from the list", P, "", 0, ("alt+d",)),
    Key("hide_ended", ("H",), "hide ended runs and disconnected machines, or show them", P),
    Key("remove_disconnected", (), "remove all disconnected machines", P),
    Key("detail", ("v",), "the transition in full, over the screen", V, "full", 3),
    Key("detail_why", (), "the transition in full: why", V),
    Key("detail_args", (), "the transition in full: its arguments", V),
    Key("detail_log", (), "the transition in full: its log lines", V),
    Key("detail_trace", (), "the transition in full: its stack trace", V),
    Key("detail_steps", (), "the transition in full: its steps", V),
    Key("wrap", ("W",), "wrap or cut long rows: in the log, or in the reader", V),
    Key("reader", ("r",), "show or hide the reader", V, "reader", 12, ("alt+o",)),
    Key("view", ("m",), "next view: log, rain, matrix", V, "view", 13, ("alt+m",)),
    Key("rain", ("R",), "show or hide the rain", V, reference=("alt+r",)),
    Key(
        "filters", ("f",), "focus the filters: arrows pick, space switches", V, reference=("alt+f",)
    ),
    Key("filter_query", ("F",), "filter by a query; in the machines, filter those", V),
    Key("sort_machines", ("S",), "sort the machines in the next way", V),
    Key("level", ("l",), "next log level", V),
    Key("filter_canceled", (), "show canceled transitions", V),
    Key("filter_auto", (), "show auto transitions", V),
    Key("filter_queued", (), "show queued transitions", V),
    Key("filter_empty", (), "show empty transitions", V),
    Key("filter_health", (), "show health checks", V),
    Key("filter_checks", (), "show checks", V),
    Key("filter_group", (), "show the next group of states, or all", V),
    Key("filter_times", (), "show seconds as headings", V),
    Key("export", ("x",), "export to a session file", T, "export", 15, ("alt+s",)),
    Key("copy", ("y",), "copy the transition with its log lines", T),
    Key("copy_address", ("Y",), "copy the address", T),
    Key("command_palette", ("ctrl+p",), "command palette, with themes", T, "palette", 17),
    Key("help", ("question_mark",), "this help", T, "help", 18),
    Key("suspend", ("ctrl+z",), "suspend to the shell; fg returns", T),
    Key("quit", ("q", "ctrl+q", "ctrl+c"), "quit", T, "quit", 19),
)

Hint = tuple[str, str, str]
"""The sign of a key, a word for the footer, and the action."""

FOOTER_NARROW = (
    "next_transition",
    "next_error",
    "errors",
    "detail",
    "search",
    "why",
    "toggle_play",
    "tail",
    "next_pane",
)
"""The actions in the left part of a narrow footer."""
FOOTER_ENDS = ("help", "quit")
"""The actions at the right end of every footer."""

_SIGNS = {
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "space": "␣",
    "slash": "/",
    "full_stop": ".",
    "comma": ",",
    "apostrophe": "'",
    "question_mark": "?",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "exclamation_mark": "!",
    "asterisk": "*",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "tab": "⇥",
    "enter": "⏎",
    "escape": "Esc",
    "backspace": "⌫",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
_PREFIXES = {"shift": "⇧", "alt": "Alt+", "ctrl": "^"}


def sign_of(key: str) -> str:
    """A key as the screen shows it: ⇧→, Alt+h, ^p."""
    *prefixes, name = key.split("+")
    return "".join(_PREFIXES[prefix] for prefix in prefixes) + _SIGNS.get(name, name)


def by_action(table: Sequence[Key] = KEYS) -> dict[str, Key]:
    """The table by action."""
    return {key.action: key for key in table}


def help_rows(
    table: Sequence[Key] = KEYS,
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The keys of each group, and what they do."""
    return tuple(
        (
            group.value,
            tuple(
                (" ".join(sign_of(name) for name in key.all_keys), key.help)
                for key in table
                if key.group is group and key.all_keys
            ),
        )
        for group in Group
    )


def markdown() -> str:
    """The table as Markdown, for the docs."""
    rows = ["| key | what it does |", "|---|---|"]
    for title, keys in help_rows():
        rows.append(f"| **{title}** | |")
        for signs, text in keys:
            written = " ".join(f"`{sign}`" for sign in signs.split(" "))
            rows.append(f"| {written} | {text} |")
    return "\n".join(rows) + "\n"
