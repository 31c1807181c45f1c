"""Typed arguments, and what log lines show of arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

import machine as am
from machine._machine.arg_log import cut, new_args_mapper, new_typed_args_mapper
from machine._transition.args import AT, args_key, args_to_log_map, parse_args, pass_, pass_merge


@dataclass
class ConnArgs:
    """Arguments of some package."""

    addr: str = field(default="", metadata={"log": "addr"})
    id: str = field(default="", metadata={"log": "conn_id"})
    secret: str = ""
    port: int = field(default=0, metadata={"log": "port"})


@dataclass
class OtherArgs:
    """Arguments of another package."""

    name: str = field(default="", metadata={"log": "name"})


def test_typed_arguments_arrive_in_handlers() -> None:
    """An object goes in under a key of its own and comes out as it was."""
    mach = am.Machine(None, {"A": am.State()})
    seen: list[ConnArgs] = []
    mach.bind_handlers({"AState": lambda e: seen.append(parse_args(e.args, ConnArgs))})
    args = ConnArgs(addr="localhost")
    mach.add1("A", pass_(args))

    assert seen == [args]
    assert seen[0] is args


def test_missing_typed_arguments_are_empty() -> None:
    """Parsing always returns an object of the right kind."""
    assert parse_args(None, ConnArgs) == ConnArgs()
    assert parse_args({}, ConnArgs) == ConnArgs()
    assert parse_args({args_key(ConnArgs): "no object of it"}, ConnArgs) == ConnArgs()


def test_arguments_of_several_packages_do_not_clash() -> None:
    """Each kind has its own key."""
    args = pass_merge(pass_(ConnArgs(addr="a")), OtherArgs(name="b"))

    assert parse_args(args, ConnArgs).addr == "a"
    assert parse_args(args, OtherArgs).name == "b"


def test_merging_makes_new_arguments() -> None:
    """The existing ones stay as they are; of two values of a key the new one counts."""
    existing = {"x": 1, "err": "old"}
    error = RuntimeError("boom")

    assert pass_merge(existing, AT(err=error)) == {"x": 1, "err": error}
    assert pass_merge(None, AT()) == {}
    assert existing == {"x": 1, "err": "old"}


def test_the_library_has_its_own_arguments() -> None:
    """`AT` uses the plain keys, and only those of fields that were given."""
    error = RuntimeError("boom")
    args = pass_(AT(err=error, err_trace="trace", called_states=["A"]))

    assert args == {"err": error, "err.trace": "trace", "called_states": ["A"]}
    assert parse_args(args) == AT(error, "trace", called_states=["A"])
    assert parse_args(args).err_trace == "trace"
    assert parse_args({"other": 1}) == AT()
    assert parse_args(None).target_states == []


def test_errors_of_handlers_are_parsed() -> None:
    """What the machine passes to `ExceptionState` is an `AT`."""
    mach = am.Machine(None, {"A": am.State()})
    seen: list[AT] = []

    def fail(event: am.Event) -> None:
        raise RuntimeError("boom")

    mach.bind_handlers(
        {"AState": fail, "ExceptionState": lambda e: seen.append(parse_args(e.args))}
    )
    mach.add1("A")

    assert str(seen[0].err) == "boom"
    assert "boom" in seen[0].err_trace
    assert seen[0].panic is not None
    assert seen[0].panic.called_states == ["A"]


def test_own_arguments_compare_and_read_by_value() -> None:
    """Equal fields make equal arguments; their text shows what was given."""
    assert AT(target_states=["A"]) == AT(target_states=("A",))
    assert AT() != AT(err_trace="x")
    assert AT() != "AT()"
    assert repr(AT(err_trace="x", target_states=["A"])) == "AT(err_trace='x', target_states=['A'])"


def test_marked_text_fields_are_shown() -> None:
    """Fields that are marked, text and not empty; under the name of the mark."""
    assert args_to_log_map(ConnArgs(addr="a", secret="s", port=5)) == {"addr": "a"}
    assert args_to_log_map(ConnArgs(id="7")) == {"conn_id": "7"}
    assert args_to_log_map("no dataclass") == {}


def test_a_mapper_shows_chosen_arguments() -> None:
    """Only those that are there, as text of a limited length."""
    mapper = new_args_mapper(["arg", "b", "gone"], 5)

    assert mapper({"arg": "foofoofoo", "b": 12, "zz": 1}) == {"arg": "fo...", "b": "12"}
    assert new_args_mapper(["arg"])({"arg": "x" * 21}) == {"arg": "x" * 17 + "..."}


def test_a_mapper_shows_marked_fields_of_typed_arguments() -> None:
    """Of every kind that it was made for, cut to its limit."""
    mapper = new_typed_args_mapper(ConnArgs, OtherArgs, maxlen=5)
    args = pass_merge(pass_(ConnArgs(addr="foofoofoo")), OtherArgs(name="bar"))

    assert mapper({**args, "plain": 1}) == {"addr": "fo...", "name": "bar"}
    assert mapper({}) == {}


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("foofoofoo", 2, "fo"),
        ("foofoofoo", 4, "foof"),
        ("foofoofoo", 5, "fo..."),
        ("foofo", 5, "foofo"),
        ("", 5, ""),
        ("foo", 0, ""),
    ],
)
def test_long_values_are_cut(text: str, limit: int, shown: str) -> None:
    """A cut value ends in dots where there is room for them."""
    assert cut(text, limit) == shown


def test_arguments_appear_in_log_lines() -> None:
    """A machine with a mapper shows chosen arguments behind its lines."""
    lines: list[str] = []
    mach = am.Machine(
        None, {"A": am.State()}, id="mach1", log_args=new_args_mapper(["arg", "b"], 5)
    )
    mach.set_logger_simple(lambda msg, *args: lines.append(msg % args), am.LogLevel.CHANGES)
    mach.add1("A", {"arg": "foofoofoo", "b": 12, "zz": 1})

    assert lines == ["[mach1] [state] +A (arg=fo... b=12)"]
