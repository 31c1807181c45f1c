"""Names of the handlers that steps stand for."""

from __future__ import annotations

from collections.abc import Sequence

from amtracer.wire.schema import HANDLER_STEP, StateDef, StepDef, StepFlag

__all__ = ["ANY", "handler_of"]

ANY = "Any"
"""The name that a global handler has in place of a state."""


def handler_of(step: StepDef, states: Sequence[StateDef]) -> str:
    """The name of the handler of a step, empty when it is none.

    It follows from the states on both sides and the flags: `FooExit`, `FooEnter`, `FooFoo`,
    `FooBar`, `FooEnd`, `FooState`, and `AnyEnter` and `AnyState` without a state.
    """
    if step.type != HANDLER_STEP:
        return ""
    source = states[step.source].name if step.source >= 0 else ""
    target = states[step.target].name if step.target >= 0 else ""
    name = source or target or ANY
    if step.flags & StepFlag.FINAL:
        is_entered = step.flags & StepFlag.ENTER or name == ANY
        return f"{name}State" if is_entered else f"{name}End"
    if step.flags & StepFlag.SELF:
        return f"{name}{name}"
    if source and target:
        return f"{source}{target}"
    is_entered = step.flags & StepFlag.ENTER or not source
    return f"{name}Enter" if is_entered else f"{name}Exit"
