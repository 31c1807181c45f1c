"""Lists the fields that describe a value of the machine library in one line.

These classes are private to their modules, so they are named here by text: this part does
not import what it traces. Most show a few of many fields; the others show all.
"""

from __future__ import annotations

from amtracer.safe_repr.introspection import bases, class_name, is_from

_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Machine": ("machine._machine.machine", ("_id",)),
    "Transition": ("machine._engine.transition", ("number",)),
    "Event": ("machine._engine.transition", ("name", "machine")),
    "Mutation": ("machine._engine.mutation", ("call", "source")),
    "Call": ("machine._schema.schema", ("type", "names", "auto")),
    "Panic": (
        "machine._handlers.panic",
        ("handler", "type", "called_states", "states_before", "target_states", "last_step"),
    ),
    "Step": (
        "machine._resolution.step",
        ("type", "from_state_idx", "to_state_idx", "denied", "failed"),
    ),
    "AT": ("machine._args", ("err", "panic", "target_states", "called_states", "time_after")),
    "Context": ("machine._waiting.context", ("value",)),
    "Time": ("machine._clock", ()),
}
"""By the name of the class: the module that has it, and the names of the fields."""


def machine_kind(kind: type) -> type | None:
    """The class of the machine library that this one is, or is derived from."""
    base: type
    for base in bases(kind):
        module, _ = _FIELDS.get(class_name(base), ("", ()))
        if module and is_from(base, module, class_name(base)):
            return base
    return None


def machine_fields(kind: type) -> tuple[str, ...]:
    """The fields of a class that `machine_kind` gave; none for one that is a list."""
    return _FIELDS[class_name(kind)][1]
