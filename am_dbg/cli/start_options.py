"""Start options of the user's configuration, checked like those of the command line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from am_dbg.settings.config import START, Config, unknown

NOT_IN_FILES = frozenset(
    {"import_data", "select_machine", "select_transition", "token", "am_dbg_addr", "version"}
)
"""Options that belong to one start, and the token, which other users must not read."""


def start_defaults(
    config: Config, params: Sequence[click.Parameter]
) -> tuple[dict[str, object], Config]:
    """The values of the file by the name of the option; what is wrong is added to the faults."""
    known = {
        param.name: param
        for param in params
        if isinstance(param, click.Option) and param.name and param.name not in NOT_IN_FILES
    }
    names = tuple(name.replace("_", "-") for name in known)
    values: dict[str, object] = {}
    troubles = []
    for name, value in config.start.items():
        param = known.get(name.replace("-", "_"))
        place = config.place(name, START)
        if param is None or param.name is None:
            troubles.append(unknown(place, name, names, ", ".join(sorted(names))))
        elif wrong := _why_wrong(param, value):
            troubles.append(f"{place}: {name} {wrong}")
        else:
            values[param.name] = value
    return values, config.with_troubles(*troubles)


def _why_wrong(param: click.Option, value: object) -> str:
    """What is wrong with a value, empty for nothing."""
    if param.is_flag:
        return "" if isinstance(value, bool) else "is true or false"
    if param.multiple:
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        return "" if is_list else 'is a list of texts: ["…"]'
    is_number = isinstance(param.type, click.types.IntRange)
    if not isinstance(value, int if is_number else str) or isinstance(value, bool):
        return f"is a {'number' if is_number else 'text'}"
    try:
        param.type.convert(value, param, None)
    except click.BadParameter as error:
        return f"is wrong: {error.message}"
    return ""
