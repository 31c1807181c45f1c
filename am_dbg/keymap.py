"""Reads the user's key bindings from `keys.toml`.

The file is TOML: `keys.toml` in the folder `am-dbg` of the user's configuration, or the file
that `AM_DBG_KEYS` names. Each line gives an action of `am_dbg.keys` its keys, by Textual's names:

    next_error = "ctrl+e"
    tail = ["t", "f5"]
    rain = []

The section `[keys]` of `config.toml` has the same lines; those of `keys.toml` win.

An empty list removes all keys of an action. A key that the file gives to an action is removed
from the action that had it before. Faults of the file are shown on the screen when the debugger
starts, and in the help (`?`); the other lines of the file are used. Faults are an unknown action
or key, and a key for two actions: the first action keeps it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from am_dbg.keys import KEYS, Key, by_action
from amtracer.files.atomic import reason_of

KEYS_PER_ACTION_MAX = 8
FILE_BYTES_MAX = 100_000
NAMED_CHARS_MAX = 60
"""Characters of a name that a message shows."""
EMPTY: Mapping[str, object] = {}
MODIFIERS = frozenset({"alt", "ctrl", "hyper", "meta", "shift", "super"})


@dataclass(frozen=True, slots=True)
class Keymap:
    """The table of keys with the changes of the user, and the faults of the file."""

    table: tuple[Key, ...] = KEYS
    trouble: str = ""


def keymap_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The path of the file, which need not exist."""
    named = environment.get("AM_DBG_KEYS")
    if named:
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home) / "am-dbg" / "keys.toml"


def read_keymap(
    path: Path,
    configured: Mapping[str, object] = EMPTY,
    place_of: Callable[[str], str] = lambda _: "config",
) -> Keymap:
    """The table with the changes of the configuration, and those of the file, which win.

    `place_of` returns the place of an action in the configuration, for messages.
    """
    own = _file_changes(path)
    if isinstance(own, Keymap):
        own = replace(own, table=remapped(configured).table)
        return own if own.trouble else remapped(configured, place_of=place_of)
    if not configured:
        return remapped(own, str(path))
    both = remapped({**configured, **own})
    troubles = (remapped(configured, place_of=place_of).trouble, remapped(own, str(path)).trouble)
    return Keymap(both.table, "; ".join(filter(None, troubles)))


def _file_changes(path: Path) -> Mapping[str, object] | Keymap:
    """The lines of a file, or a keymap with what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            return _unreadable(path, f"it has more than {FILE_BYTES_MAX:,} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except FileNotFoundError:
        return Keymap()
    except OSError as error:
        return _unreadable(path, reason_of(error))
    except (ValueError, RecursionError) as error:
        return _unreadable(path, str(error))


def _unreadable(path: Path, reason: str) -> Keymap:
    return Keymap(trouble=f"default keys are used: {reason} ({path})")


def remapped(
    changes: Mapping[str, object],
    name: str = "keys",
    place_of: Callable[[str], str] | None = None,
) -> Keymap:
    """The table with other keys for some actions; faults name the file, or the line."""
    known = by_action()
    wanted: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    troubles: list[str] = []
    for action, given in changes.items():
        listed = _listed(given)
        before = len(troubles)
        if action not in known:
            troubles.append(f"no action {action[:NAMED_CHARS_MAX]}{_meant(action, known)}")
        elif listed is None:
            troubles.append(f"{action} needs a key or a list of keys")
        else:
            keys = [_canonical(key) for key in listed]
            wrong = [key for key, name in zip(listed, keys, strict=True) if not name]
            troubles += [_no_key(action, key) for key in wrong]
            names = [key for key in keys if key]
            troubles += [
                f"{key} is given to {owners[key]} and to {action}"
                for key in names
                if owners.get(key, action) != action
            ]
            own = tuple(key for key in names if owners.setdefault(key, action) == action)
            if own or not listed:
                wanted[action] = own
        if place_of is not None:
            troubles[before:] = [f"{place_of(action)}: {text}" for text in troubles[before:]]
    where = "" if place_of else f" ({name})"
    return Keymap(_table(wanted), f"{'; '.join(troubles)}{where}" if troubles else "")


def _table(wanted: Mapping[str, tuple[str, ...]]) -> tuple[Key, ...]:
    """All actions: those of the file with their new keys, the others with those that remain."""
    taken = {key for keys in wanted.values() for key in keys}
    return tuple(
        replace(key, keys=wanted[key.action], reference=())
        if key.action in wanted
        else replace(
            key,
            keys=tuple(name for name in key.keys if name not in taken),
            reference=tuple(name for name in key.reference if name not in taken),
        )
        for key in KEYS
    )


def _listed(keys: object) -> tuple[str, ...] | None:
    """The keys of a line: one text, or a list of texts."""
    listed = [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, list) or len(listed) > KEYS_PER_ACTION_MAX:
        return None
    texts = tuple(text.strip() for text in listed if isinstance(text, str))
    return texts if len(texts) == len(listed) and all(texts) else None


def _canonical(key: str) -> str:
    """The name that Textual has for a key, empty if there is no such key."""
    *modifiers, name = key.split("+") if len(key) > 1 and not key.endswith("+") else (key,)
    if len(set(modifiers)) < len(modifiers) or not MODIFIERS.issuperset(modifiers):
        return ""
    if len(name) == 1:
        name = name if name.isalnum() else _named(name)
    elif name not in _key_names():
        return ""
    return "+".join([*sorted(modifiers), name]) if name else ""


def _named(char: str) -> str:
    """Textual's name of a character that is neither a letter nor a digit."""
    from textual.keys import _character_to_key

    return _character_to_key(char) if char.isprintable() else ""


@cache
def _key_names() -> frozenset[str]:
    """All names of keys that are not a single character."""
    from textual.keys import Keys

    special = {key.value.rpartition("+")[2] for key in Keys}
    signs = {_named(char) for char in map(chr, range(0x20, 0x7F)) if not char.isalnum()}
    return frozenset(name for name in special | signs if len(name) > 1 and name[0] != "<")


def _no_key(action: str, key: str) -> str:
    return f"no key {key[:NAMED_CHARS_MAX]} for {action}{_meant(key, _key_names())}"


def _meant(word: str, known: Iterable[str]) -> str:
    """A suggestion for a word that is not known, empty if none is similar."""
    lowered = word[:NAMED_CHARS_MAX].lower()
    near = [_ALIASES[lowered]] if lowered in _ALIASES else get_close_matches(lowered, known, 1)
    return f", did you mean {near[0]}" if near else ""


_ALIASES = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "bs": "backspace",
}
