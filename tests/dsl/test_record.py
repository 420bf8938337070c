"""The light dataclass does what the decorator of the standard library does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any

import pytest

from dsl import spec, syntax
from dsl.record import dataclass
from dsl.source import Source, Span
from dsl.types import Bool


class Plain:
    """The fields of both versions of a class."""

    name: str
    size: int = 3
    tags: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False)
    secret: int = field(default=0, repr=False)

    def double(self) -> int:
        """A method."""
        return 2 * self.size


def both(**options: bool) -> tuple[type[Any], type[Any]]:
    """The class as the standard library makes it and as ours does; a field belongs to one class, so each gets its own."""

    def members() -> dict[str, Any]:
        kept = {k: copy.copy(v) for k, v in vars(Plain).items() if k not in ("__dict__", "__weakref__")}
        return {**kept, "__annotations__": dict(Plain.__annotations__)}

    return dataclasses.dataclass(**options)(type("Plain", (), members())), dataclass(**options)(type("Plain", (), members()))


OPTIONS = [{"frozen": f, "slots": s} for f in (False, True) for s in (False, True)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_same(options):
    theirs, ours = both(**options)
    for args, named in [(("a",), {}), (("a", 4), {"note": "n"}), ((), {"name": "a", "tags": ["t"]}), (("a", 1, [], "n", 5), {})]:
        one, other = theirs(*args, **named), ours(*args, **named)
        assert repr(one) == repr(other)
        assert [getattr(one, f.name) for f in fields(one)] == [getattr(other, f.name) for f in fields(other)]
        assert other == ours(*args, **named)
        assert other != one
        assert one.double() == other.double()
    assert theirs.__match_args__ == ours.__match_args__
    assert theirs.__doc__ == ours.__doc__
    assert theirs.__qualname__ == ours.__qualname__
    assert theirs.__module__ == ours.__module__
    assert hasattr(theirs("a"), "__dict__") is hasattr(ours("a"), "__dict__")
    assert (theirs.__hash__ is None) is (ours.__hash__ is None)
    assert is_dataclass(ours)
    assert [(f.name, f.compare, f.repr, f.type) for f in fields(ours)] == [(f.name, f.compare, f.repr, f.type) for f in fields(theirs)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_defaults_are_fresh(options):
    _, ours = both(**options)
    assert ours("a").tags is not ours("a").tags
    assert replace(ours("a"), size=7) == ours("a", 7)
    assert ours("a", note="x") == ours("a", note="y")
    assert ours("a", secret=1) != ours("a", secret=2)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("args", "named"), [((), {}), (("a", 1, [], "", 0, 6), {}), (("a",), {"name": "b"}), (("a",), {"other": 1})])
def test_wrong_arguments(options, args, named):
    for cls in both(**options):
        with pytest.raises(TypeError):
            cls(*args, **named)


@pytest.mark.parametrize("slots", [False, True])
def test_frozen(slots):
    for cls in both(frozen=True, slots=slots):
        record = cls("a")
        for name in ("name", "size"):
            with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
                setattr(record, name, 1)
            with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
                delattr(record, name)


@pytest.mark.parametrize("slots", [False, True])
def test_not_frozen(slots):
    _, ours = both(slots=slots)
    record = ours("a")
    record.size = 8
    assert record == ours("a", 8)
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)


HERE = Span("f", 1, 2, 3, 4)
NAME = syntax.Name("a", False, HERE)


def test_the_tree():
    elsewhere = syntax.Name("a", False, Span("g", 9, 9, 9, 9))
    assert elsewhere == NAME
    assert hash(elsewhere) == hash(NAME)
    assert syntax.Name("a", True, HERE) != NAME
    assert repr(NAME) == "Name(name='a', quoted=False, span=Span(file='f', line=1, column=2, end_line=3, end_column=4))"
    match NAME:
        case syntax.Name(name, quoted):
            assert (name, quoted) == ("a", False)


def test_copies():
    for record in (NAME, spec.Total(), spec.UntilState(spec.Atom(spec.Var("x", Bool(), False, HERE), "x")), Source("n", "t")):
        for made in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record)), replace(record)):
            assert made == record
            assert repr(made) == repr(record)
            assert hash(made) == hash(record)


def test_cached_properties_of_frozen_classes():
    source = Source("n", "a\nb")
    assert source.lines is source.lines == ("a", "b")


def test_what_it_refuses():
    with pytest.raises(TypeError, match="inheritance"):
        dataclass(type("Child", (both()[1],), {"__annotations__": {}}))
    with pytest.raises(TypeError, match="__post_init__"):
        dataclass(type("Late", (), {"__annotations__": {}, "__post_init__": print}))
    for option in ({"init": False}, {"kw_only": True}, {"hash": False}):
        with pytest.raises(TypeError, match="field x"):
            dataclass(type("Odd", (), {"__annotations__": {"x": "int"}, "x": field(**option)}))
