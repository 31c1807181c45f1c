"""The plugin of pytest: what it leaves of failed tests, and what it does not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import amtracer.pytest_plugin
import amtracer.tracer.held_recordings
from am_dbg.cli.commands import command

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ("-p", "no:asyncmachine", "-p", "amtracer.pytest_plugin")
LINE = re.compile(r"^am-dbg (-i .+)$", re.MULTILINE)

TESTS = """
    import machine as am

    def make(name, *states):
        mach = am.Machine(None, {"Ready": am.State(), "Busy": am.State()}, id=name)
        mach.add(states)
        return mach

    def test_passes():
        make("good", "Ready")

    def test_fails():
        make("bad", "Ready").add1("Busy")
        assert False

    def test_fails_without_machines():
        assert False
"""


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs inside are no workers, even if this one is."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """A run in this process, without the plugins that warn without settings."""
    return pytester.runpytest_inprocess(
        *PLUGIN, "-p", "no:cacheprovider", "-p", "no:asyncio", *args
    )


def listed(line: str) -> str:
    """What `am-dbg list` prints of the session that a report names."""
    done = CliRunner().invoke(command, ["list", shlex.split(line)[-1]])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_failed_test_leaves_the_session_of_its_machines(pytester: pytest.Pytester) -> None:
    """The report has the command that opens it; nothing is left of the others."""
    pytester.makepyfile(TESTS)
    done = run(pytester, "--am-sessions=kept")

    lines = LINE.findall(str(done.stdout))
    assert len(lines) == 1
    assert "asyncmachine session" in str(done.stdout)
    assert "bad" in listed(lines[0])
    assert "good" not in listed(lines[0])
    files = [path for path in (pytester.path / "kept").rglob("*") if path.is_file()]
    assert [str(path) for path in files] == shlex.split(lines[0])[1:]
    assert files[0].name == "run.msgpack.br"


def test_sessions_are_in_the_temporary_folder_by_default(pytester: pytest.Pytester) -> None:
    """Where pytest removes them after some runs."""
    pytester.makepyfile(TESTS)
    done = run(pytester, "--basetemp=temporary")

    (line,) = LINE.findall(str(done.stdout))
    assert Path(shlex.split(line)[1]).is_relative_to(pytester.path / "temporary" / "am-sessions")
    assert "bad" in listed(line)


@pytest.mark.parametrize("where", ["option", "setting"])
def test_recording_can_be_switched_off(pytester: pytest.Pytester, where: str) -> None:
    """By the command line and by the configuration."""
    pytester.makepyfile(TESTS)
    if where == "setting":
        pytester.makeini("[pytest]\nam_sessions = off")
    done = run(pytester, *(["--am-sessions=off"] if where == "option" else []))

    assert LINE.findall(str(done.stdout)) == []
    done.assert_outcomes(passed=1, failed=2)


def test_setup_and_teardown_are_part_of_the_session(pytester: pytest.Pytester) -> None:
    """What a fixture's machine does after the test too; a failed setup leaves a session as well."""
    pytester.makepyfile(
        """
        import machine as am
        import pytest

        @pytest.fixture
        def mach():
            made = am.Machine(None, {"Before": am.State(), "After": am.State()}, id="fixed")
            made.add1("Before")
            yield made
            made.add1("After")

        @pytest.fixture
        def broken(mach):
            raise ValueError

        def test_call(mach):
            assert False

        def test_setup(broken):
            pass
        """
    )
    done = run(pytester, "--am-sessions=kept")
    lines = LINE.findall(str(done.stdout))

    done.assert_outcomes(failed=1, errors=1)
    assert len(lines) == 2
    for line in lines:
        shown = CliRunner().invoke(command, ["show", shlex.split(line)[1], "mach://fixed"])
        assert "Before" in shown.output
        assert "After" in shown.output


def test_a_machine_that_lives_longer_is_in_every_session(pytester: pytest.Pytester) -> None:
    """A fixture of a wider scope makes one machine for several tests."""
    pytester.makepyfile(
        """
        import machine as am
        import pytest

        @pytest.fixture(scope="module")
        def shared():
            return am.Machine(None, {"A": am.State(), "B": am.State()}, id="shared")

        def test_one(shared):
            shared.add1("A")
            assert False

        def test_two(shared):
            shared.add1("B")
            assert len(shared.tracers()) == 1
            assert False
        """
    )
    done = run(pytester, "--am-sessions=kept")

    lines = LINE.findall(str(done.stdout))
    assert len(lines) == 2
    assert all("shared" in listed(line) for line in lines)
    assert "1 == 1" not in str(done.stdout)


def test_a_test_that_runs_again_replaces_its_session(pytester: pytest.Pytester) -> None:
    """No file of the run before is left beside it."""
    pytester.makepyfile(TESTS)
    for _ in range(2):
        run(pytester, "--am-sessions=kept")

    assert len([path for path in (pytester.path / "kept").rglob("*") if path.is_file()]) == 1


@pytest.mark.slow
def test_a_suite_without_machines_loads_nothing(pytester: pytest.Pytester) -> None:
    """Only the plugin itself, which is small."""
    pytester.makepyfile(
        """
        import sys

        def test_loaded():
            loaded = {name for name in sys.modules if name.startswith(("machine", "amtracer"))}
            assert loaded == {
                "amtracer", "amtracer.files", "amtracer.files.processes", "amtracer.pytest_plugin"
            }
        """
    )
    pytester.syspathinsert(ROOT)
    done = pytester.runpytest_subprocess(*PLUGIN)

    done.assert_outcomes(passed=1)


def test_the_clock_is_a_fixture(pytester: pytest.Pytester) -> None:
    """It is moved in the test, and real again after it."""
    pytester.makepyfile(
        """
        import machine as am
        from machine._waiting.timers import timers

        def test_moves(am_clock):
            mach = am.Machine(None, {"A": am.State(timeout=60, on_timeout="Exception")})
            mach.add1("A")
            am_clock.advance(60)
            assert mach.is_err()

        def test_is_real():
            assert not timers.by_hand
        """
    )

    run(pytester).assert_outcomes(passed=2)


@pytest.mark.slow
def test_workers_have_files_of_their_own(pytester: pytest.Pytester) -> None:
    """With pytest-xdist a file has the name of its worker, and the report arrives."""
    pytester.makepyfile(TESTS)
    pytester.syspathinsert(ROOT)
    done = pytester.runpytest_subprocess(*PLUGIN, "-n", "2", "--dist=each", "--am-sessions=kept")

    lines = LINE.findall(str(done.stdout))
    assert sorted(Path(shlex.split(line)[1]).name for line in lines) == [
        "gw0.msgpack.br",
        "gw1.msgpack.br",
    ]
    assert all("bad" in listed(line) for line in lines)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_the_session_of_its_machines_to_its_test(
    pytester: pytest.Pytester,
) -> None:
    """A child records nothing of its own, ends as it would, and disturbs no file."""
    pytester.makepyfile(
        """
        import multiprocessing
        import machine as am

        def work():
            am.Machine(None, {"A": am.State()}, id="child").add1("A")

        def test_forks():
            am.Machine(None, {"A": am.State()}, id="parent").add1("A")
            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join(20)
            assert child.exitcode == 0
            assert False
        """
    )
    pytester.syspathinsert(ROOT)
    done = pytester.runpytest_subprocess(*PLUGIN, "--am-sessions=kept")

    (line,) = LINE.findall(str(done.stdout))
    assert "parent" in listed(line)
    assert "child" not in listed(line)


def test_names_of_folders_are_readable_and_different() -> None:
    """Whatever the id of a test has in it; long ids are cut."""
    name = amtracer.pytest_plugin.folder_name
    assert re.fullmatch(
        r"tests-test_a.py-test_b-x-y-[0-9a-f]{8}", name("tests/test_a.py::test_b[x y]")
    )
    assert name("a b") != name("a-b")
    assert len(name("x" * 500)) == 80 + 9
