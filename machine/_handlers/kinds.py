"""Kinds of bound objects: what all objects of one class have in common, found once.

Binding an object takes checks, and it has to be found out which of its names are handlers.
For all objects of one class both have the same outcome in one schema, as for all dicts of
functions with the same keys. So the schema keeps a `Kind` for each.

A class may change. Its kind is good as long as its bases are the same and none of them got or
lost a name; otherwise another kind is made. Functions that are replaced under the same name need
no other kind, since each object is asked for its functions (`take`).

An object has no kind, and is asked for each handler on its own, if its class does not determine
which handlers it has: it makes attributes on demand, has an attribute of its own with a handler's
name, or has handlers that are no plain functions, such as properties. The names of an object's
own attributes are compared with a set of those that mean nothing, which grows.

A kind does not keep its class alive: it refers to the class weakly, and leaves the schema along
with it. So a program may make classes in functions without end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter, itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import ref

from machine._handlers.meanings import Meaning, declared_by, meanings_of
from machine._handlers.names import has_strays, is_ambiguous, is_harmless
from machine._schema.state import EXCEPTION

if TYPE_CHECKING:
    from machine._schema.schema import Schema

KINDS_MAX = 64
"""Kinds that one schema keeps."""
KNOWN_MAX = 1024
"""Attributes, or functions, that one kind knows to be harmless."""

LISTING = ("__getattribute__", "__dir__")
PLAIN = (FunctionType, staticmethod, classmethod)

Handler = Callable[..., Any]
Names = tuple[str, ...]


class Kind:
    """What objects with the same handlers in one schema have in common.

    `places` says where a callable is among those that `take` returns: by its name, or by its
    meaning if `on` declared it.
    """

    __slots__ = (
        "_fetch",
        "_meanings",
        "declared",
        "emitter",
        "handles_errors",
        "has_strays",
        "is_ambiguous",
        "is_checked",
        "names",
        "places",
        "schema",
    )

    def __init__(
        self, target: object, schema: Schema, names: Names, meanings: tuple[Meaning, ...] = ()
    ) -> None:
        self.schema = schema
        self.emitter = emitter_name(target)
        self.declared = frozenset([meaning.name for meaning in meanings])
        self.names = (*names, *self.declared)
        keys: list[str | Meaning] = [*names, *meanings]
        self.places = {key: place for place, key in enumerate(keys)}
        self.handles_errors = f"{EXCEPTION}State" in self.names
        self.is_ambiguous = is_ambiguous(target, schema.names)
        self.has_strays = has_strays(target, schema.names)
        self.is_checked = False
        """Whether an object of it passed the checks of binding."""
        self._meanings = meanings
        self._fetch = _getter(attrgetter if isinstance(self, ClassKind) else itemgetter, names)

    def place_of(self, name: str, meaning: Meaning) -> int | None:
        """Where the callable of a handler is; None if there is none."""
        return self.places.get(meaning if name in self.declared else name)

    @abstractmethod
    def knows(self, target: Any) -> bool:
        """Whether an object certainly would pass the checks that others passed."""

    @abstractmethod
    def learn(self, target: Any) -> bool:
        """Learn from an object that passed the checks; False if it has to be asked."""

    def take(self, target: object) -> tuple[Handler, ...] | None:
        """The callables of an object, in their places; None if it has lost one."""
        try:
            found = self._fetch(target)
            if self._meanings:
                declared = declared_by(target)
                found += tuple([declared[one.name][one] for one in self._meanings])
        except (AttributeError, KeyError):
            return None
        return found if all(map(callable, found)) else None


def emitter_name(target: object) -> str:
    """The class of a bound object; empty for an anonymous one."""
    kind = type(target)
    anonymous = isinstance(target, Mapping) or kind.__name__ == "SimpleNamespace"
    return "" if anonymous else kind.__name__


def _getter(make: Callable[..., Callable[[Any], Any]], names: Names) -> Callable[[Any], Any]:
    """A function that fetches these from an object, as a tuple in every case."""
    if not names:
        return lambda _target: ()
    fetch = make(*names)
    return fetch if len(names) > 1 else lambda target: (fetch(target),)


class ClassKind(Kind):
    """What the objects of one class have in common."""

    __slots__ = ("_bases", "_harmless", "_owner", "_sizes", "has_attributes")

    def __init__(self, target: object, schema: Schema, names: Names, meanings: tuple[Meaning, ...]):
        super().__init__(target, schema, names, meanings)
        owner = type(target)
        self._owner = ref(owner, partial(schema.kinds.pop, id(owner)))
        self._bases = hash(owner.__mro__)
        self._sizes = _sizes(owner)
        self._harmless: set[str] = set()
        self.has_attributes = bool(owner.__dictoffset__)

    def is_of(self, owner: type) -> bool:
        """Whether it is the kind of this class, as the class is now."""
        return (
            self._owner() is owner
            and self._bases == hash(owner.__mro__)
            and self._sizes == [len(base.__dict__) for base in owner.__mro__]
        )

    def knows(self, target: Any) -> bool:
        return self.is_of(type(target)) and (
            not self.has_attributes or self._harmless.issuperset(target.__dict__)
        )

    def learn(self, target: Any) -> bool:
        """Look at its attributes; False if one may be a handler."""
        states = self.schema.names
        for name in target.__dict__ if self.has_attributes else ():
            if name in self._harmless:
                continue
            if not is_harmless(name, states):
                return False
            if len(self._harmless) >= KNOWN_MAX:
                self._harmless = set()
            self._harmless.add(name)
        return True


def _sizes(owner: type) -> list[int]:
    return [len(base.__dict__) for base in owner.__mro__]


class DictKind(Kind):
    """What dicts with the same keys in the same order have in common."""

    __slots__ = ("_known",)

    def __init__(self, target: object, schema: Schema, names: Names) -> None:
        super().__init__(target, schema, names)
        self._known: set[tuple[str, object]] = set()

    def knows(self, target: Mapping[str, Any]) -> bool:
        known = self._known
        for name, value in target.items():
            if (
                type(value) is not FunctionType
                or (name, value.__code__) not in known
                or value.__defaults__
                or value.__kwdefaults__
            ):
                return False
        return True

    def learn(self, target: Mapping[str, Any]) -> bool:
        found = {
            (name, value.__code__)
            for name, value in target.items()
            if type(value) is FunctionType and not (value.__defaults__ or value.__kwdefaults__)
        }
        if len(self._known) + len(found) > KNOWN_MAX:
            self._known = set()
        self._known |= found
        return all(callable(target[name]) for name in self.names)


def kind_of(target: Any, schema: Schema, *, strict: bool) -> Kind | None:
    """The kind of an object that needs no checks, because others of it passed them.

    None for any other object.
    """
    owner = type(target)
    kind: Kind | None = schema.kinds.get(tuple(target) if owner is dict else id(owner))
    if kind is None or not kind.is_checked or (kind.is_ambiguous and (strict or owner is dict)):
        return None
    return kind if kind.knows(target) else None


def learn_kind(target: Any, schema: Schema) -> Kind | None:
    """The kind of an object, made if there is none yet; None if the object has to be asked."""
    owner = type(target)
    if owner is dict:
        key: object = tuple(target)
        kind = schema.kinds.get(key) or _new_dict_kind(target, schema)
    else:
        key = id(owner)
        kind = schema.kinds.get(key)
        if kind is None or not kind.is_of(owner):
            kind = _new_class_kind(target, schema)
    if kind is None or not kind.learn(target):
        return None
    if len(schema.kinds) >= KINDS_MAX and key not in schema.kinds:
        schema.kinds.clear()
    schema.kinds[key] = kind
    return kind


def _new_dict_kind(target: Mapping[Any, Any], schema: Schema) -> DictKind | None:
    if not all(type(name) is str for name in target):
        return None
    return DictKind(target, schema, _handlers_among(target, schema))


def _new_class_kind(target: object, schema: Schema) -> ClassKind | None:
    owner = type(target)
    if not is_plain(owner):
        return None
    if owner.__dictoffset__ and not all(is_harmless(n, schema.names) for n in target.__dict__):
        return None
    declared = declared_by(target)
    members: dict[str, object] = {}
    for base in reversed(owner.__mro__):
        members.update(vars(base))
    names = _handlers_among(members.keys() - declared.keys(), schema)
    meanings = {
        meaning: function
        for functions in declared.values()
        for meaning, function in functions.items()
        if meaning.fits(schema.index)
    }
    values = [members[name] for name in names]
    values += [getattr(method, "__func__", None) for method in meanings.values()]
    if any("." in name for name in names) or not all(type(value) in PLAIN for value in values):
        return None
    return ClassKind(target, schema, names, tuple(meanings))


def _handlers_among(names: Iterable[str], schema: Schema) -> Names:
    return tuple([name for name in names if meanings_of(name, schema.index)])


def is_plain(owner: type) -> bool:
    """Whether the attributes of its objects are found and listed in the usual way."""
    usual = all(getattr(owner, name) is getattr(object, name) for name in LISTING)
    return usual and not hasattr(owner, "__getattr__") and not issubclass(owner, Mapping)
