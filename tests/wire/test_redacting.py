"""What must not be shown is hidden, also when the hook that hides it fails."""

from __future__ import annotations

import re
import threading
from collections import UserDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import amtracer
import machine as am
from amtracer.files.session import read_session
from amtracer.safe_repr.redacting import HIDDEN, ArgsFilterHook, RedactHook
from amtracer.send.registry import _senders
from tests.wire.streams import StreamReader, read_back
from tests.wire.tracing import FakeSender, recorded

SECRET = "hunter2"
STRUCT = {"M": am.State(multi=True)}


@pytest.fixture(autouse=True)
def _closed_senders() -> Iterator[None]:
    yield
    amtracer.close()
    _senders.clear()


def hide(text: str) -> str:
    return re.sub(SECRET, "***", text)


def spoken(mach: am.Machine) -> None:
    """Says the secret in every text that there is."""
    mach.set_logger_empty(am.LogLevel.EVERYTHING)
    mach.set_log_args(am.new_args_mapper(["word"], 50))
    mach.log("before: %s", SECRET)
    mach.add1("M", {"word": SECRET, "list": [SECRET], "n": 1})


def texts(reader: StreamReader) -> list[str]:
    """All that the last transition shows."""
    one = reader.transitions[0][-1]
    lines = [text for _, text in (*one.pre_lines, *one.lines)]
    return [*lines, *(text for _, text in one.args)]


def shown(**hooks: Any) -> list[str]:
    mach, caught = am.Machine(None, STRUCT, id="m"), FakeSender()
    caught.trace(mach, **hooks)
    spoken(mach)
    return texts(recorded(caught.events))


def test_a_hook_sees_every_text() -> None:
    """Log lines of a transition and from before, and arguments."""
    assert sum(SECRET in text for text in shown()) >= 5
    assert not any(SECRET in text for text in shown(redact=hide))
    assert "[extern] before: ***" in shown(redact=hide)
    assert "1" in shown(redact=hide)


def test_a_hook_runs_on_the_thread_that_sends(tmp_path: Path) -> None:
    """A mutation does not wait for it, and a file holds what it returned."""
    threads: set[str] = set()

    def watched(text: str) -> str:
        threads.add(threading.current_thread().name)
        return hide(text)

    mach = am.Machine(None, STRUCT, id="m")
    amtracer.record(mach, tmp_path / "a", redact=watched)
    spoken(mach)
    amtracer.close()
    found = texts(read_back(read_session(tmp_path / "a")))

    assert threads == {"amtracer"}
    assert any("***" in text for text in found)
    assert not any(SECRET in text for text in found)


def raising(text: str) -> str:
    raise ValueError(text)


def ending(text: str) -> str:
    raise SystemExit(text)


def nothing(text: str) -> None:
    return None


def encoded(text: str) -> bytes:
    return text.encode()


def posing(text: str) -> Any:
    return mock.Mock(spec=text)


class Odd(type):
    __name__ = property(raising)


class OddError(Exception, metaclass=Odd):
    """Raises again when it is asked for its name."""


def odd(text: str) -> str:
    raise OddError


@pytest.mark.parametrize("redact", [raising, ending, nothing, encoded, posing, odd])
def test_a_hook_that_fails_shows_nothing(
    redact: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A fixed text stands for every text, and the log says so once, without the text."""
    found = shown(redact=redact)

    assert len(found) >= 5
    assert set(found) == {HIDDEN}
    assert len(caplog.records) == 1
    assert "amtracer: redact" in caplog.text
    assert SECRET not in caplog.text


def test_a_hook_may_fail_for_some_texts() -> None:
    """What it returned for the others is shown."""

    def picky(text: str) -> str:
        assert SECRET not in text
        return text.upper()

    found = shown(redact=picky)
    assert HIDDEN in found
    assert "1" in found
    assert any(text.startswith("[QUEUE:ADD] M") for text in found)


def test_a_text_of_a_class_of_the_host_becomes_a_plain_one() -> None:
    """Its methods are not called when it is sent."""

    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

        __len__ = encode = __hash__ = __str__  # type: ignore[assignment]

    assert type(RedactHook(Text)("abc")) is str


def test_a_long_text_is_cut_after_the_hook() -> None:
    """A hook may return anything; what a reader takes is cut as ever."""
    found = shown(redact=lambda text: "x" * 1_000_000)

    assert all(text.endswith("more characters)") or "more lines" in text for text in found)


def test_submachines_have_the_hooks_of_their_parent() -> None:
    """Texts of a submachine are hidden by the hooks of its parent."""
    mach, caught = am.Machine(None, STRUCT, id="m"), FakeSender()
    caught.trace(mach, redact=hide)
    child = am.Machine(None, STRUCT, id="child", parent=mach)
    spoken(child)
    reader = recorded(caught.events)

    assert "***" in "".join(text for _, text in reader.transitions[1][0].lines)
    assert SECRET not in str(reader.transitions[1])


def test_hooks_given_later_replace_those_before(tmp_path: Path) -> None:
    """The first call does not decide what is shown; what is not given stays."""
    mach = am.Machine(None, STRUCT, id="m")
    amtracer.record(mach, tmp_path / "a")
    amtracer.record(mach, tmp_path / "a", redact=hide)
    amtracer.record(mach, tmp_path / "a", args_filter=lambda id, args: {**args, "more": SECRET})
    spoken(mach)
    amtracer.close()
    found = texts(read_back(read_session(tmp_path / "a")))

    assert found.count("'***'") == 2
    assert not any(SECRET in text for text in found)


# The filter of arguments.


def changing(id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    args.pop("word")  # type: ignore[attr-defined]
    return args


def forgetful(id: str, args: Mapping[str, object]) -> None:
    return None


def wrong(id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    raise KeyError(args["word"])


def refusing(id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    raise OddError


@pytest.mark.parametrize("args_filter", [changing, forgetful, wrong, refusing])
def test_a_filter_that_fails_shows_no_argument(
    args_filter: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The machine goes on and is traced on; its arguments are those it was given."""
    mach, caught = am.Machine(None, STRUCT, id="m"), FakeSender()
    caught.trace(mach, args_filter=args_filter)
    args = {"word": SECRET}
    for _ in range(3):
        assert mach.add1("M", args) is am.Result.EXECUTED
    reader = recorded(caught.events)

    assert [one.args for one in reader.transitions[0]] == [(("…", HIDDEN),)] * 3
    assert args == {"word": SECRET}
    assert len(mach.tracers()) == 1
    assert len(caplog.records) == 1
    assert SECRET not in caplog.text


def test_a_filter_may_return_any_mapping() -> None:
    """What it was given, or a mapping of its own."""
    given = {"a": 1, "b": "x"}
    same = ArgsFilterHook(lambda id, args: args)
    own = ArgsFilterHook(lambda id, args: UserDict(args))

    assert same.texts("m", given) == own.texts("m", given) == (("a", "1"), ("b", "'x'"))


def test_a_filter_lets_the_host_be_interrupted() -> None:
    """A `KeyboardInterrupt` for the program is not caught."""

    def interrupted(id: str, args: Mapping[str, object]) -> Mapping[str, object]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ArgsFilterHook(interrupted).texts("m", {})
