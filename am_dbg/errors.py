"""Errors of the debugger, each with a message of one line for the user.

Errors about files and data are those of `amtracer.errors`. A failed download is one of them,
because for the user it is another reason why a session cannot be read.
"""

from __future__ import annotations

from difflib import get_close_matches

from amtracer.errors import SessionError, WireError

NAMED_CHARS_MAX = 200
"""The most characters of a name or a place in an error."""
STATES_NAMED_MAX = 8
"""The most states that an error lists."""
PLACE_FORMS = (
    "a number, t and a machine time, a time such as 15:04:05, the id of a transition,"
    " or mach://ID or mach://ID/PLACE"
)


class DebuggerError(Exception):
    """Base of the errors of this package; `str()` is one line for a user."""


class DownloadError(SessionError):
    """A session that cannot be read from a web address."""


class NotAnAddressError(DebuggerError):
    """A text that is no place; `examples` are the allowed forms."""

    def __init__(self, text: str, examples: str = "") -> None:
        super().__init__(f"{text[:NAMED_CHARS_MAX]!r} is no place: give {examples or PLACE_FORMS}")
        self.text = text


class MachineNotFoundError(DebuggerError):
    """No machine has this id; `near` are similar ids."""

    def __init__(self, id: str, near: tuple[str, ...] = ()) -> None:
        advice = f"; did you mean {' or '.join(near)}" if near else ""
        super().__init__(f"no machine {id[:NAMED_CHARS_MAX]!r} in this session{advice}")
        self.id = id
        self.near = near


class StateNotFoundError(DebuggerError):
    """The machine has no such state; `near` are similar names."""

    def __init__(self, id: str, state: str, names: tuple[str, ...]) -> None:
        self.near = tuple(get_close_matches(state, names, 2, 0.6))
        meant = f"did you mean {' or '.join(self.near)}"
        advice = meant if self.near else f"it has {', '.join(names[:STATES_NAMED_MAX]) or 'none'}"
        whose = f"machine {id[:NAMED_CHARS_MAX]!r}"
        super().__init__(f"{whose} has no state {state[:NAMED_CHARS_MAX]!r}: {advice}")
        self.id = id
        self.state = state


class TransitionNotFoundError(DebuggerError):
    """The machine has no such transition; `held` is a text about those it has."""

    def __init__(self, id: str, text: str, first: int, last: int, held: str = "") -> None:
        numbers = f"it has {first:,} to {last:,}" if last >= first else "it has none"
        name, place = id[:NAMED_CHARS_MAX], text[:NAMED_CHARS_MAX]
        super().__init__(f"machine {name!r} has no transition {place!r}: {held or numbers}")
        self.id = id
        self.text = text


class TransitionGoneError(TransitionNotFoundError):
    """The transition was removed to save memory."""

    def __init__(self, id: str, text: str, first: int, last: int) -> None:
        held = f"it is gone, removed to save memory; what is left begins with {first:,}"
        super().__init__(id, text, first, last, held)


class StepNotFoundError(DebuggerError):
    """The transition has fewer steps."""

    def __init__(self, id: str, number: int, text: str, steps: int) -> None:
        of = f"transition {number:,} of {id[:NAMED_CHARS_MAX]!r}"
        super().__init__(f"{of} has no step {text[:NAMED_CHARS_MAX]!r}: it has {steps:,}")


class EmptyRangeError(DebuggerError):
    """A range of numbers without a transition."""

    def __init__(self, numbers: str, whose: str, first: int, last: int) -> None:
        held = f"{first:,} to {last:,}" if last >= first else "none"
        super().__init__(f"no transition in the range {numbers}: {whose} {held}")
        self.numbers = numbers


class QueryError(DebuggerError):
    """A query with terms that are not understood; `troubles` has a message for each of them."""

    def __init__(self, query: str, troubles: tuple[str, ...]) -> None:
        super().__init__(f"query {query[:NAMED_CHARS_MAX]!r}: {'; '.join(troubles)}")
        self.query = query
        self.troubles = troubles


class OptionFileError(DebuggerError):
    """The file of an option cannot be written."""

    def __init__(self, option: str, path: str, reason: str) -> None:
        super().__init__(f"{option} {path}: it cannot be written, {reason}")
        self.option = option
        self.path = path


class UnknownFormatError(DebuggerError):
    """A file name whose ending is no format that can be written."""

    def __init__(self, name: str, endings: tuple[str, ...]) -> None:
        super().__init__(f"{name}: unknown ending; give {' or '.join(endings)}")
        self.name = name


class UnknownThemeError(DebuggerError):
    """No theme has this name; `near` are similar names."""

    def __init__(self, name: str, names: tuple[str, ...], near: tuple[str, ...] = ()) -> None:
        advice = f"; did you mean {' or '.join(near)}" if near else ""
        shown = name[:NAMED_CHARS_MAX]
        super().__init__(f"no theme {shown!r}{advice}: give auto, {', '.join(names)}")
        self.name = name
        self.near = near


class NoSchemaError(DebuggerError):
    """A schema of a program that cannot be found, or whose module cannot be imported."""


class NoTerminalError(DebuggerError):
    """There is no terminal for the screen."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"no screen here ({reason}); read a session with"
            " 'am-dbg list FILE' or 'am-dbg show FILE mach://ID/NUMBER'"
        )
        self.reason = reason


class MachineTakenError(WireError):
    """A machine that returns while another open stream still sends it."""

    def __init__(self, key: str, stream: int) -> None:
        super().__init__(f"machine {key!r} is connected already")
        self.stream = stream
