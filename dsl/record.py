"""``dataclass`` for the classes that every run of the program declares: the same, but cheap to declare.

The decorator of the standard library writes the methods of every class as text and compiles them, a third of a millisecond for each
class.  There are two hundred, and a small spec is proved in less time than that takes.  Here methods are closures over the names of
the fields.  Fields, defaults, comparison, freezing, pickling, ``dataclasses.fields`` and ``replace`` work as they do there, and the
type checker sees the decorator from there; what nobody here uses (other options, inheritance, ``__post_init__``) is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_FIELD = dataclasses._FIELD  # type: ignore[attr-defined]  # what `dataclasses.fields` looks for


def _dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False) -> Any:
    """As ``dataclasses.dataclass``, with or without arguments."""
    if cls is not None:
        return _declared(cls, frozen, slots)
    return lambda cls: _declared(cls, frozen, slots)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


def _declared(cls: type, frozen: bool, slots: bool) -> type:
    if hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__qualname__}: inheritance and __post_init__ need the decorator of the standard library")
    own = cls.__dict__
    fields = {name: _field(name, type, own.get(name, MISSING)) for name, type in cls.__annotations__.items()}
    names = tuple(fields)
    compared = _values_of([name for name, entry in fields.items() if entry.compare])
    members: dict[str, Any] = {
        "__dataclass_fields__": fields,
        "__match_args__": names,
        "__eq__": _eq(compared),
        "__hash__": _hash(compared) if frozen else None,
    }
    if "__repr__" not in own:
        members["__repr__"] = _repr
    if frozen:
        members |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if frozen and slots:
        members |= {"__getstate__": _get_state, "__setstate__": _set_state}
    if slots:
        kept = {name: member for name, member in own.items() if name not in fields and name not in ("__dict__", "__weakref__")}
        cls = type(cls)(cls.__name__, cls.__bases__, kept | members | {"__slots__": names, "__qualname__": cls.__qualname__})
        setters = [getattr(cls, name).__set__ for name in names]
        cls.__init__ = _init_slots(cls, fields, setters)  # type: ignore[misc]
        return cls
    for name, entry in fields.items():
        if entry.default is not MISSING:
            setattr(cls, name, entry.default)
        elif name in own:
            delattr(cls, name)
    for name, member in members.items():
        setattr(cls, name, member)
    cls.__init__ = _init(cls, fields)  # type: ignore[misc]
    return cls


def _field(name: str, type: Any, default: Any) -> Field[Any]:
    result: Any = default if isinstance(default, Field) else field(default=default)
    if not result.init or result.kw_only is True or result.hash is not None:
        raise TypeError(f"field {name}: init, kw_only and hash need the decorator of the standard library")
    result.name, result.type, result._field_type = name, type, _FIELD
    return result  # type: ignore[no-any-return]


# ---------------------------------------------------------------- construction


def _init_slots(cls: type, fields: Mapping[str, Field[Any]], setters: Sequence[Callable[[Any, Any], None]]) -> Callable[..., None]:
    size = len(setters)

    def init(self: Any, /, *args: Any, **named: Any) -> None:
        if named or len(args) != size:
            args = _completed(cls, fields, args, named)
        for put, value in zip(setters, args):  # noqa: B905  # of one length
            put(self, value)

    return init


def _init(cls: type, fields: Mapping[str, Field[Any]]) -> Callable[..., None]:
    names = tuple(fields)
    size, put = len(names), object.__setattr__

    def init(self: Any, /, *args: Any, **named: Any) -> None:
        if named or len(args) != size:
            args = _completed(cls, fields, args, named)
        for name, value in zip(names, args):  # noqa: B905  # of one length
            put(self, name, value)

    return init


def _completed(cls: type, fields: Mapping[str, Field[Any]], args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The values of all fields in order, where some are given by name or left to their defaults."""
    if len(args) > len(fields):
        raise TypeError(f"{cls.__qualname__} takes {len(fields)} arguments but {len(args)} were given")
    values = list(args)
    for name in list(fields)[len(args) :]:
        entry = fields[name]
        if name in named:
            values.append(named.pop(name))
        elif entry.default is not MISSING:
            values.append(entry.default)
        elif entry.default_factory is not MISSING:
            values.append(entry.default_factory())
        else:
            raise TypeError(f"{cls.__qualname__} misses the argument {name!r}")
    for name in named:
        raise TypeError(f"{cls.__qualname__} got {'two values for' if name in fields else 'an unexpected'} argument {name!r}")
    return tuple(values)


# ---------------------------------------------------------------- comparison and the rest


def _values_of(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    (name,) = names
    get = attrgetter(name)
    return lambda record: (get(record),)


def _eq(compared: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, object], bool]:
    def eq(self: Any, other: object) -> bool:
        return compared(self) == compared(other) if self.__class__ is other.__class__ else NotImplemented

    return eq


def _hash(compared: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    def hash_(self: Any) -> int:
        return hash(compared(self))

    return hash_


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, entry in self.__dataclass_fields__.items() if entry.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__match_args__]


def _set_state(self: Any, state: Sequence[Any]) -> None:
    for name, value in zip(self.__match_args__, state, strict=True):
        object.__setattr__(self, name, value)
