"""Cuts values of a traced program to the limits of a reader, with a mark where it cuts."""

from __future__ import annotations

from collections.abc import Iterable

from amtracer.wire import limits
from amtracer.wire.messages import OpenWorkItem, Shape, StateDef
from amtracer.wire.vocabulary import LevelKind

_STEPS_LEVEL = int(LevelKind.CHANGES)
"""The level of the line that counts missing steps."""
_MARK_BYTES_MAX = 40
_CHAR_BYTES_MAX = 6
"""The most bytes of a character: a lone surrogate, escaped."""
_SURE_CHARS = limits.TEXT_BYTES_MAX // _CHAR_BYTES_MAX
_ARG_BYTES_MAX = limits.TRANSITION_TEXT_BYTES_MAX // (2 * limits.ARGS_MAX)
_SURE_ARG_CHARS = _ARG_BYTES_MAX // _CHAR_BYTES_MAX

Lines = tuple[tuple[int, str], ...]
Args = tuple[str, ...]
"""Arguments: key and text in turns."""


def cut_text(text: str, bytes_max: int = limits.TEXT_BYTES_MAX) -> str:
    """The text, or its beginning and the number of missing characters."""
    if len(text) <= min(_SURE_CHARS, bytes_max // _CHAR_BYTES_MAX):
        return text
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= bytes_max:
        return text
    kept = raw[: bytes_max - _MARK_BYTES_MAX].decode("utf-8", "ignore")
    return f"{kept}… ({len(text) - len(kept):,} more characters)"


def cut_texts(texts: Iterable[str], length_max: int) -> tuple[str, ...]:
    """The first texts, each cut, and a last one with the number of missing texts."""
    kept = tuple(texts)
    missing = len(kept) - length_max
    if missing > 0:
        kept = (*kept[: length_max - 1], f"…+{missing + 1:,}")
    return tuple(map(cut_text, kept))


def cut_lines(lines: Lines) -> Lines:
    """The first log lines, each cut, and a last one with the number of missing lines."""
    if len(lines) <= limits.LINES_MAX and sum(len(text) for _, text in lines) <= _SURE_CHARS:
        return lines
    kept: list[tuple[int, str]] = []
    room = limits.TRANSITION_TEXT_BYTES_MAX
    for level, text in lines:
        cut = cut_text(text)
        room -= len(cut) * _CHAR_BYTES_MAX if len(cut) < _SURE_CHARS else limits.TEXT_BYTES_MAX
        if len(kept) == limits.LINES_MAX - 1 or room < 0:
            break
        kept.append((level, cut))
    missing = len(lines) - len(kept)
    if missing == 1 and room >= 0:
        kept.append((lines[-1][0], cut_text(lines[-1][1])))
    elif missing:
        kept.append((lines[len(kept)][0], f"… ({missing:,} more lines)"))
    return tuple(kept)


def cut_args(args: Args) -> Args:
    """The first arguments, with keys and texts cut so that all fit into the limit.

    The last argument counts the missing ones.
    """
    missing = len(args) // 2 - limits.ARGS_MAX
    if missing > 0:
        args = (*args[: 2 * limits.ARGS_MAX - 2], "…", f"… {missing + 1:,} more")
    for text in args:
        if len(text) > _SURE_ARG_CHARS:
            return tuple([cut_text(text, _ARG_BYTES_MAX) for text in args])
    return args


def with_missing_steps(lines: Lines, steps: int) -> Lines:
    """The lines, with one that counts the missing steps if there are too many `steps`."""
    missing = steps - limits.STEPS_MAX
    return (*lines, (_STEPS_LEVEL, f"… ({missing:,} more steps)")) if missing > 0 else lines


def cut_states(states: tuple[StateDef, ...]) -> tuple[StateDef, ...]:
    """The states without the tags, the groups and the relations over the limit."""
    return tuple([state if _fits(state) else _cut_state(state) for state in states])


def _fits(state: StateDef) -> bool:
    lengths = [len(names) for names in _relations(state) if names]
    return (
        len(state.tags) <= limits.TAGS_MAX
        and len(state.groups) <= limits.GROUPS_MAX
        and all(len(name) <= _SURE_CHARS for name in (*state.tags, *state.groups))
        and max(lengths, default=0) <= limits.STATES_MAX
    )


def _cut_state(state: StateDef) -> StateDef:
    require, add, remove, after = (
        None if names is None else names[: limits.STATES_MAX] for names in _relations(state)
    )
    tags = cut_texts(state.tags, limits.TAGS_MAX)
    groups = cut_texts(state.groups, limits.GROUPS_MAX)
    return StateDef(state.name, state.auto, state.multi, require, add, remove, after, tags, groups)


def _relations(state: StateDef) -> tuple[tuple[str, ...] | None, ...]:
    return state.require, state.add, state.remove, state.after


def cut_work(work: OpenWorkItem) -> OpenWorkItem:
    """An item of open work, with each text cut."""
    kind, names, condition = (cut_text(text, limits.OPEN_TEXT_BYTES_MAX) for text in work[:3])
    return OpenWorkItem(kind, names, condition, work.since, work.deadline)


def cut_shape(shape: Shape) -> Shape:
    """The shape without the steps over the limit; a log line counts those."""
    if len(shape.steps) <= limits.STEPS_MAX:
        return shape
    steps = shape.steps[: limits.STEPS_MAX]
    return Shape(shape.type, shape.called, shape.flags, shape.changes, steps)
