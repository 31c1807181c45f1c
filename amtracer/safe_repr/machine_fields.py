"""Lists the fields that describe a value of the machine library in one line.

The classes are named by text, because this package does not import `machine`. Most of them show
only some of their fields.
"""

from __future__ import annotations

from amtracer.safe_repr.introspection import class_name, is_from, mro

_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Machine": ("machine._machine.machine", ("_id",)),
    "Transition": ("machine._transition.transition", ("number",)),
    "Event": ("machine._transition.event", ("name", "machine")),
    "Mutation": ("machine._resolution.mutation", ("call", "source")),
    "Call": ("machine._schema.schema", ("type", "names", "auto")),
    "Panic": (
        "machine._transition.args",
        ("handler", "type", "called_states", "states_before", "target_states", "last_step"),
    ),
    "Step": (
        "machine._resolution.step",
        ("type", "from_state_idx", "to_state_idx", "denied", "failed"),
    ),
    "AT": (
        "machine._transition.args",
        ("err", "panic", "target_states", "called_states", "time_after"),
    ),
    "Context": ("machine._waiting.context", ("value",)),
    "Time": ("machine._clock", ()),
}
"""By class name: the module of the class, and the names of the fields to show."""


def machine_class(kind: type) -> type | None:
    """The listed class that a class is, or is derived from; None for other classes."""
    base: type
    for base in mro(kind):
        module, _ = _FIELDS.get(class_name(base), ("", ()))
        if module and is_from(base, module, class_name(base)):
            return base
    return None


def machine_fields(kind: type) -> tuple[str, ...]:
    """The fields of a class that `machine_class` returned; none for a list."""
    return _FIELDS[class_name(kind)][1]
