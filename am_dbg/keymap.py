"""Reads which keys a user wants for which action.

The file is TOML, `keys.toml` in the folder `am-dbg` of the user's configuration, or where
`AM_DBG_KEYS` says. Each line gives an action of `am_dbg.keys` its keys, by Textual's names:

    next_error = "ctrl+e"
    tail = ["t", "f5"]
    rain = []

A key that was given to an action is taken from whatever had it before. What is wrong with
the file is told on the screen, and the rest of it counts.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from am_dbg.keys import KEYS, Key, by_action

__all__ = ["Keymap", "keymap_path", "read_keymap", "remapped"]

KEYS_PER_ACTION_MAX = 8


@dataclass(frozen=True, slots=True)
class Keymap:
    """The table of keys as the user wants it, and what was wrong with the wish."""

    table: tuple[Key, ...] = KEYS
    trouble: str = ""


def keymap_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the file is looked for."""
    named = environment.get("AM_DBG_KEYS")
    if named:
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home) / "am-dbg" / "keys.toml"


def read_keymap(path: Path) -> Keymap:
    """The table with the file's wishes in it; without a file the table as it is."""
    try:
        wishes = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Keymap()
    except (OSError, ValueError) as error:
        return Keymap(trouble=f"{path}: {error}")
    return remapped(wishes, str(path))


def remapped(wishes: Mapping[str, object], name: str = "keys") -> Keymap:
    """The table with other keys for some actions."""
    known = by_action()
    wanted: dict[str, tuple[str, ...]] = {}
    troubles = []
    for action, keys in wishes.items():
        listed = _listed(keys)
        if action not in known:
            troubles.append(f"no action {action}")
        elif listed is None:
            troubles.append(f"{action} needs a key or a list of keys")
        else:
            wanted[action] = listed
    taken = {key for keys in wanted.values() for key in keys}
    table = tuple(
        replace(key, keys=wanted[key.action], reference=())
        if key.action in wanted
        else replace(
            key,
            keys=tuple(name for name in key.keys if name not in taken),
            reference=tuple(name for name in key.reference if name not in taken),
        )
        for key in KEYS
    )
    return Keymap(table, f"{name}: {'; '.join(troubles)}" if troubles else "")


def _listed(keys: object) -> tuple[str, ...] | None:
    """The keys of a line: one text, or a list of texts."""
    listed = [keys] if isinstance(keys, str) else keys
    if not isinstance(listed, list) or len(listed) > KEYS_PER_ACTION_MAX:
        return None
    texts = tuple(text.strip() for text in listed if isinstance(text, str))
    return texts if len(texts) == len(listed) and all(texts) else None
