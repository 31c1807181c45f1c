"""Bound objects: each with its callables, taken from it when the first of them is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from machine._handlers.kinds import Handler, Kind, emitter_name, learn_kind
from machine._handlers.meanings import Meaning, declared_by
from machine._handlers.pairs import names_of
from machine._schema.state import EXCEPTION

if TYPE_CHECKING:
    from machine._schema.schema import Schema


class KnownBinding:
    """One bound object whose kind says which handlers it has."""

    __slots__ = ("callables", "kind", "target")

    def __init__(self, target: object, kind: Kind) -> None:
        self.target = target
        self.kind = kind
        self.callables: tuple[Handler, ...] | None = None

    @property
    def emitter(self) -> str:
        """The name of its class in logs and for tracers; empty for a dict."""
        return self.kind.emitter

    @property
    def handles_errors(self) -> bool:
        """Whether it has a handler of errors."""
        return self.kind.handles_errors

    def for_schema(self, schema: Schema) -> Binding:
        """The same object in a machine with this schema, with its callables."""
        if self.kind.schema is not schema:
            kind = learn_kind(self.target, schema)
            return AskedBinding(self.target) if kind is None else KnownBinding(self.target, kind)
        return self

    def take(self) -> Binding:
        """Take its callables, once; another binding if it does not have them any more."""
        if self.callables is None:
            self.callables = self.kind.take(self.target)
        return self if self.callables is not None else AskedBinding(self.target)

    def taken(self) -> tuple[Handler, ...]:
        """Its callables, once they were taken."""
        assert self.callables is not None
        return self.callables

    def find(self, name: str, meaning: Meaning) -> Handler | None:
        """The callable of a handler, once they were taken."""
        place = self.kind.place_of(name, meaning)
        return None if place is None else self.taken()[place]

    def listed(self) -> set[str] | None:
        """The names of its handlers."""
        return set(self.kind.names)


class AskedBinding:
    """One bound object that is asked for each handler by name, when that is first needed."""

    __slots__ = ("_found", "_wrap", "declared", "emitter", "target")

    def __init__(self, target: object, wrap: Callable[[Handler], Handler] | None = None) -> None:
        self.target = target
        self._wrap = wrap
        self.emitter = emitter_name(target)
        self._found: dict[str | Meaning, Handler | None] = {}
        self.declared = declared_by(target)

    @property
    def handles_errors(self) -> bool:
        """Whether it has a handler of errors; looks it up."""
        return self.find(f"{EXCEPTION}State", Meaning(EXCEPTION, "State")) is not None

    def for_schema(self, schema: Schema) -> Binding:
        """Itself; it depends on no schema."""
        return self

    def take(self) -> Binding:
        """Itself; nothing is taken in advance."""
        return self

    def find(self, name: str, meaning: Meaning) -> Handler | None:
        """The callable of a handler, or None; looked up in the object once."""
        is_declared = name in self.declared
        key = meaning if is_declared else name
        try:
            return self._found[key]
        except KeyError:
            pass
        if is_declared:
            return self._keep(key, self.declared[name].get(meaning))
        return self._keep(key, self.member(name))

    def member(self, name: str) -> object:
        """What the object has under this name, None for nothing."""
        if isinstance(self.target, Mapping):
            return self.target.get(name)
        return getattr(self.target, name, None)

    def _keep(self, key: str | Meaning, handler: object) -> Handler | None:
        found: Handler | None = handler if callable(handler) else None
        if found is not None and self._wrap is not None:
            found = self._wrap(found)
        self._found[key] = found
        return found

    def listed(self) -> set[str] | None:
        """All names that it has; None if it cannot list them."""
        return names_of(self.target)


Binding = KnownBinding | AskedBinding
