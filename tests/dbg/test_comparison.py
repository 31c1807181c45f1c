"""Two sessions are compared machine by machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from am_dbg.cli import commands as cli
from am_dbg.cli.exit_codes import Exit
from am_dbg.egress.export import export_session
from am_dbg.projection.comparison.sessions import SessionComparison, compare_sessions
from am_dbg.query.alignment import BlockKind
from amtracer.wire.messages import StateDef
from tests.screens.stories import FILES, MILLISECOND, Story

OTHER_SCHEMA = (StateDef("Open"), StateDef("Exception", multi=True))
EXAMPLES = Path(__file__).resolve().parents[2] / "exports"


def twin(*, after_ns: int = MILLISECOND, fault: str = "", ids: str = "") -> Story:
    """A program of two machines; with a fault, one of them ends a transition differently."""
    story = Story()
    first = story.machine(f"reader{ids}")
    second = story.machine(f"printer{ids}", OTHER_SCHEMA)
    first.add("Start", after_ns=after_ns)
    second.add("Open", after_ns=after_ns)
    for _ in range(3):
        first.add("Ping", after_ns=after_ns, args=(("at", str(story.now)),))
        first.remove("Ping", after_ns=after_ns)
    if fault == "reader":
        first.cancel("ProcessingFile")
    else:
        first.add("ProcessingFile", after_ns=after_ns)
    if fault:
        second.add("Exception")
    return story


def compared(one: Story, other: Story) -> SessionComparison:
    return compare_sessions(one.store(), other.store())


def test_times_and_arguments_do_not_count() -> None:
    """A session that did the same more slowly and with other arguments is the same."""
    assert compared(twin(), twin(after_ns=7 * MILLISECOND)).is_same


def test_health_checks_do_not_count() -> None:
    """A program that ran longer has more health checks, which mean nothing here."""
    one, other = twin(), twin()
    other.tellers[0].add("Healthcheck")
    other.tellers[0].remove("Healthcheck")

    assert compared(one, other).is_same


def test_states_are_compared_by_name() -> None:
    """The order of the states in a schema does not count."""
    one, other = Story(), Story()
    one.machine("m", FILES).add("Start")
    other.machine("m", tuple(reversed(FILES))).add("Start")

    assert compared(one, other).is_same


def test_the_first_difference_of_a_machine_is_found() -> None:
    """A transition that calls the same and is canceled in one session is the difference."""
    comparison = compared(twin(), twin(fault="reader"))
    pair = comparison.differing[0]
    block = pair.blocks[pair.differences[0]]

    assert (pair.one.key, pair.same_before) == ("reader", 7)
    assert block.kind is BlockKind.CHANGED
    assert (list(pair.numbers(0, block)), list(pair.numbers(1, block))) == ([8], [8])


def test_the_machine_that_differs_first_comes_first() -> None:
    """The order is that of the first differences in time, not that of names."""
    comparison = compared(twin(), twin(fault="reader"))

    assert [pair.one.key for pair in comparison.differing] == ["reader", "printer"]


def test_machines_with_other_names_are_matched_by_schema_and_order() -> None:
    """Ids with a part that changes from run to run do not keep machines apart."""
    comparison = compared(twin(ids="-7f3a"), twin(ids="-99c0"))

    assert comparison.is_same
    assert [(pair.one.key, pair.other.key) for pair in comparison.same] == [
        ("reader-7f3a", "reader-99c0"),
        ("printer-7f3a", "printer-99c0"),
    ]


def test_a_name_counts_more_than_the_order() -> None:
    """Machines of the same name belong together, whatever came before them."""
    one, other = Story(), Story()
    for story, names in ((one, "abc"), (other, "xca")):
        for name in names:
            story.machine(name).add("Start")
    pairs = compared(one, other).same

    assert [(pair.one.key, pair.other.key) for pair in pairs] == [
        ("a", "a"),
        ("b", "x"),
        ("c", "c"),
    ]


def test_a_machine_of_one_session_is_a_difference() -> None:
    """Machines without a counterpart are listed, and the sessions are not the same."""
    other = twin()
    other.machine("extra", OTHER_SCHEMA)
    comparison = compared(twin(), other)

    assert [[track.key for track in only] for only in comparison.only] == [[], ["extra"]]
    assert not comparison.is_same


def test_another_schema_is_a_difference() -> None:
    """States that only one schema has count, even if no transition touches them."""
    one, other = Story(), Story()
    one.machine("m", FILES)
    other.machine("m", (*FILES, StateDef("Extra")))
    comparison = compared(one, other)

    assert comparison.differing[0].schema_only == ((), ("Extra",))


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; returns its exit code, data and messages."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def sessions(tmp_path: Path) -> tuple[Path, Path]:
    """A session, and another one in which the reader fails."""
    paths = tmp_path / "good.msgpack.br", tmp_path / "bad.msgpack.br"
    for path, fault in zip(paths, ("", "reader"), strict=True):
        export_session(twin(fault=fault).store(), str(path))
    return paths


def test_equal_sessions_end_with_0(run: Run, sessions: tuple[Path, Path]) -> None:
    """A session is the same as itself."""
    code, out, _ = run("diff", sessions[0], sessions[0])

    assert (code, out.splitlines()[-1]) == (Exit.DONE, "2 machines: no difference")


def test_different_sessions_end_with_1(run: Run, sessions: tuple[Path, Path]) -> None:
    """The text names the first difference of each machine, with addresses for `show`."""
    code, out, _ = run("diff", *sessions)

    assert code == Exit.DIFFERENT == 1
    assert "reader  differs after 7 equal transitions, at 1 place" in out
    assert "  A  mach://reader/8  + ProcessingFile" in out
    assert "  B  mach://reader/8  ✗ ProcessingFile" in out
    assert out.splitlines()[-1] == "machines that differ: 2; the same: 0"


def test_the_comparison_as_json(run: Run, sessions: tuple[Path, Path]) -> None:
    """JSON has every difference with its addresses, and the first one in full."""
    code, out, _ = run("diff", *sessions, "--json")
    value = json.loads(out)
    reader = value["differing"][0]

    assert (code, value["same"], reader["a"], reader["same_before"]) == (1, False, "reader", 7)
    assert reader["first"]["a"]["accepted"]
    assert not reader["first"]["b"]["accepted"]
    assert reader["places"] == [
        {
            "kind": "changed",
            "a": {"transitions": 1, "address": "mach://reader/8"},
            "b": {"transitions": 1, "address": "mach://reader/8"},
        }
    ]


def test_one_machine_is_compared_alone(run: Run, sessions: tuple[Path, Path]) -> None:
    """The option takes an id or an address; other machines do not count."""
    code, out, _ = run("diff", *sessions, "--machine", "mach://printer")

    assert (code, "reader" in out) == (Exit.DIFFERENT, False)


def test_an_unknown_machine_is_refused(run: Run, sessions: tuple[Path, Path]) -> None:
    """The message has the machines that may have been meant."""
    code, out, error = run("diff", *sessions, "--machine", "raeder")

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "reader" in error


def test_the_screen_of_diff_needs_a_terminal(run: Run, sessions: tuple[Path, Path]) -> None:
    """Without a terminal, text is printed unless the screen is asked for."""
    code, out, error = run("diff", *sessions, "--screen")

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "no screen here" in error


def test_two_machines_of_a_session_are_compared(run: Run, sessions: tuple[Path, Path]) -> None:
    """One file and two machines: their histories are compared like those of two sessions."""
    code, out, _ = run("diff", sessions[1], "mach://reader", "mach://printer")

    assert code == Exit.DIFFERENT
    assert "reader / printer  differs after 0 equal transitions" in out


def test_two_moments_of_a_machine_are_compared(run: Run, sessions: tuple[Path, Path]) -> None:
    """One file and two places of a machine: the states whose ticks differ."""
    code, out, _ = run("diff", sessions[0], "mach://reader/6", "mach://reader/8")

    assert code == Exit.DIFFERENT
    assert "-  Ping  5 -> 6" in out
    assert "+  ProcessingFile  0 -> 1" in out
    assert out.splitlines()[-1] == "states that differ: 2; the same: 7"


def test_two_moments_as_json(run: Run, sessions: tuple[Path, Path]) -> None:
    """JSON has the ticks of both moments; a moment is the same as itself."""
    code, out, _ = run("diff", sessions[0], "mach://reader/7", "mach://reader/8", "--json")
    value = json.loads(out)

    assert (code, value["a"], value["b"]) == (Exit.DIFFERENT, 7, 8)
    assert value["states"] == {"ProcessingFile": {"a": 0, "b": 1}}
    assert run("diff", sessions[0], "mach://reader/7", "mach://reader/7", "--json")[0] == Exit.DONE


@pytest.mark.parametrize(
    "arguments",
    [
        ("one",),
        ("one", "mach://a", "mach://b", "mach://c"),
        ("one", "mach://a", "mach://b", "--machine", "a"),
    ],
)
def test_diff_takes_two_sessions_or_one_with_two_addresses(
    run: Run, arguments: tuple[str, ...]
) -> None:
    """Any other number of arguments is refused, and the message lists what is allowed."""
    code, out, error = run("diff", *arguments)

    assert (code, out) == (Exit.BAD_INPUT, "")
    assert "diff needs two sessions, or one session and two addresses" in error


def test_moments_need_their_places(run: Run, sessions: tuple[Path, Path]) -> None:
    """A machine alone is no moment, and moments have no screen."""
    one = run("diff", sessions[0], "mach://reader", "mach://reader/2")
    two = run("diff", sessions[0], "mach://reader/1", "mach://reader/2", "--text", "--screen")

    assert one[0] == two[0] == Exit.BAD_INPUT
    assert "need a place each" in one[2]
    assert "not moments" in two[2]


def test_the_intact_part_of_a_damaged_session_is_compared(run: Run, tmp_path: Path) -> None:
    """What could be read is compared; the damage is reported, with the exit code for it."""
    whole, cut = EXAMPLES / "worker-pool.msgpack.br", tmp_path / "cut.msgpack.br"
    cut.write_bytes(whole.read_bytes()[:-3_000])
    code, out, error = run("diff", whole, cut)

    assert code == Exit.BAD_INPUT
    assert "machines that differ: 21" in out
    assert "cut.msgpack.br" in error


@pytest.mark.parametrize("version", [1, 3])
def test_a_session_is_the_same_in_every_version(run: Run, version: int) -> None:
    """The special cases in another version of the file format differ in nothing."""
    names = (f"version-{version}.msgpack.br", "special-cases.msgpack.br")

    assert run("diff", *(EXAMPLES / name for name in names))[0] == Exit.DONE
