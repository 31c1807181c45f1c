"""Typed arguments of mutations.

A package keeps its arguments in a dataclass and passes an object of it as one argument
under a key of its own, so the arguments of several packages do not clash:

    mach.add1("Connected", am.pass_(ConnArgs(addr="127.0.0.1")))
    args = am.parse_args(event.args, ConnArgs)

The library's own arguments are `AT`, kept under the plain keys of the specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from machine._given import A, check_mapping

if TYPE_CHECKING:
    from machine._clock import Time
    from machine._enums import MutationType
    from machine._resolution.step import Step
    from machine._transition.event import Event
    from machine._transition.transition import Transition

Args = TypeVar("Args")

LOG_MARK = "log"
"""The metadata key that marks a field of typed arguments for log lines."""


class Panic:
    """The transition that a handler broke, as the `panic` argument of `ExceptionState`."""

    __slots__ = (
        "called_states",
        "handler",
        "last_step",
        "stack_trace",
        "states_before",
        "target_states",
        "transition",
        "type",
    )

    def __init__(self, tx: Transition, handler: str, stack_trace: str) -> None:
        steps = tx.steps
        self.type: MutationType = tx.type()
        self.called_states: list[str] = tx.called_states()
        self.states_before: list[str] = tx.states_before()
        self.target_states: list[str] = tx.target_states()
        self.transition: Transition = tx
        self.handler: str = handler
        self.last_step: Step | None = steps[-1] if steps else None
        self.stack_trace: str = stack_trace


class AT:
    """The arguments that the library itself passes, first of all with errors."""

    __slots__ = (
        "called_states",
        "err",
        "err_trace",
        "event",
        "panic",
        "target_states",
        "time_after",
        "time_before",
    )

    def __init__(
        self,
        err: BaseException | None = None,
        err_trace: str = "",
        panic: Panic | None = None,
        target_states: Sequence[str] = (),
        called_states: Sequence[str] = (),
        time_before: Time | None = None,
        time_after: Time | None = None,
        event: Event | None = None,
    ) -> None:
        self.err: BaseException | None = err
        self.err_trace: str = err_trace
        self.panic: Panic | None = panic
        self.target_states: list[str] = list(target_states)
        self.called_states: list[str] = list(called_states)
        self.time_before: Time | None = time_before
        self.time_after: Time | None = time_after
        self.event: Event | None = event

    def given(self) -> dict[str, Any]:
        """The fields that were given, by name."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in fields.items() if value not in (None, "", [])}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AT):
            return NotImplemented
        return self.given() == other.given()

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given().items())
        return f"AT({given})"


_KEYS = {"err_trace": "err.trace"}
_FIELDS = {_KEYS.get(name, name): name for name in AT.__slots__}


def args_key(kind: type) -> str:
    """The name under which typed arguments of this class are passed."""
    return f"{kind.__module__}.{kind.__qualname__}"


def pass_(value: object) -> A:
    """The typed arguments as arguments of a mutation."""
    if isinstance(value, AT):
        return {_KEYS.get(name, name): one for name, one in value.given().items()}
    return {args_key(type(value)): value}


def pass_merge(existing: Mapping[str, Any] | None, value: object) -> A:
    """New arguments: the existing ones and the typed ones, which count if both have a key."""
    check_mapping(existing, "args")
    return {**(existing or {}), **pass_(value)}


@overload
def parse_args(args: Mapping[str, Any] | None) -> AT: ...
@overload
def parse_args(args: Mapping[str, Any] | None, kind: type[Args]) -> Args: ...
def parse_args(args: Mapping[str, Any] | None, kind: type = AT) -> object:
    """The typed arguments of a mutation; empty ones when it has none of this kind."""
    check_mapping(args, "args")
    found = args or {}
    if issubclass(kind, AT):
        return kind(**{name: found[key] for key, name in _FIELDS.items() if key in found})
    value = found.get(args_key(kind))
    return value if isinstance(value, kind) else kind()


def args_to_log_map(value: object) -> dict[str, str]:
    """What log lines show of typed arguments: text fields that are marked and not empty.

    A field is marked by its name in the log: `field(default="", metadata={"log": "addr"})`.
    """
    shown: dict[str, str] = {}
    for field in getattr(type(value), "__dataclass_fields__", {}).values():
        label, text = field.metadata.get(LOG_MARK), getattr(value, field.name)
        if label and text and isinstance(text, str):
            shown[label] = text
    return shown
