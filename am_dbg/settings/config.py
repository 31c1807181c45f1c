"""Reads the user's configuration, `config.toml`.

The file is TOML: `config.toml` in the folder `am-dbg` of the user's configuration
(`XDG_CONFIG_HOME`, otherwise `~/.config`), or the file that `AM_DBG_CONFIG` names:

    theme = "am-light"

    [start]                    # options of the command line, without the dashes in front
    view = "tree-rain"
    reader = true
    listen-on = "localhost:7000"

    [keys]                     # as in keys.toml, which wins
    next_error = "ctrl+e"

Options on the command line win. A fault of the file is shown on the screen with its line and
with what is allowed; the other lines of the file are used.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from amtracer.files.atomic import reason_of, shown

FILE_BYTES_MAX = 100_000
NAMED_CHARS_MAX = 60
"""Characters of a name that a message shows."""
START, KEYS, THEME = "start", "keys", "theme"
SECTIONS = (THEME, f"[{START}]", f"[{KEYS}]")


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says: start options, with the theme, and keys; and what is wrong with it."""

    path: str = ""
    start: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, object] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    text: str = field(default="", repr=False)

    def place(self, name: str, section: str = "") -> str:
        """The file with the line where a name gets its value: config.toml:3."""
        line = line_of(self.text, name, section) or line_of(self.text, name)
        return f"{self.path}:{line}" if line else self.path

    def with_troubles(self, *troubles: str) -> Config:
        """The configuration with further faults."""
        return replace(self, troubles=(*self.troubles, *troubles))


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The path of the file, which need not exist."""
    named = environment.get("AM_DBG_CONFIG")
    if named:
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home) / "am-dbg" / "config.toml"


def read_config(path: Path) -> Config:
    """The configuration of a file; without a file, an empty one."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            return _unreadable(name, f"it has more than {FILE_BYTES_MAX:,} bytes")
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        return _unreadable(name, reason_of(error))
    except (ValueError, RecursionError) as error:
        return _unreadable(name, str(error))
    return _sorted_out(Config(name, text=text), values)


def _unreadable(name: str, reason: str) -> Config:
    return Config(name, troubles=(f"the configuration is not used: {reason} ({name})",))


def _sorted_out(config: Config, values: Mapping[str, object]) -> Config:
    """The sections of the file; whatever has no place in it is a fault."""
    start, keys = _table(values, START), _table(values, KEYS)
    if THEME in values:
        start = {THEME: values[THEME], **start}
    troubles = [
        f"{config.place(name)}: {name} is a table: [{name}]"
        for name in (START, KEYS)
        if not isinstance(values.get(name, {}), dict)
    ]
    troubles += [
        unknown(config.place(name), name, (THEME, START, KEYS), " and ".join(SECTIONS))
        for name in values
        if name not in (THEME, START, KEYS)
    ]
    return replace(config, start=start, keys=keys, troubles=tuple(troubles))


def _table(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def unknown(place: str, name: str, known: tuple[str, ...], allowed: str) -> str:
    """The fault of a name that is not known: where it is, what was meant, what is allowed."""
    near = get_close_matches(name[:NAMED_CHARS_MAX], known, 1)
    meant = f", did you mean {near[0]}" if near else ""
    return f"{place}: there is no {name[:NAMED_CHARS_MAX]!r} here{meant}; allowed are {allowed}"


def line_of(text: str, name: str, section: str = "") -> int:
    """The line that gives a name its value or begins its table, from 1; 0 if none is found."""
    at = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\[\]]*)\]", line)
        if head:
            at = head[1].strip()
            if at == name and not section:
                return number
        elif at == section and re.match(rf"""\s*["']?{re.escape(name)}["']?\s*[=.]""", line):
            return number
    return 0
