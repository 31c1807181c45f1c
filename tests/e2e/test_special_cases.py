"""The recorded special cases: the session contains each situation that a debugger has to show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from am_dbg.ingest.importing import import_session
from am_dbg.store import Store, Track, TransitionRecord
from amtracer.wire import limits
from amtracer.wire.vocabulary import ShapeFlag, StepFlag

ROOT = Path(__file__).resolve().parents[2]
SESSION = ROOT / "exports" / "special-cases.msgpack.br"
SESSION_BYTES_MAX = 60_000

Summary = tuple[tuple[str, ...], int, tuple[str, ...], int, tuple[tuple[int, int], ...]]


def opened(path: Path) -> Store:
    store = Store()
    import_session(store, str(path))
    return store


@pytest.fixture(scope="module")
def store() -> Store:
    """The recorded session, read as the debugger reads it."""
    return opened(SESSION)


@pytest.fixture
def track(store: Store) -> Callable[[str], Track]:
    """Finds a machine by its key."""

    def find(key: str) -> Track:
        found = store.find(key)
        assert found is not None, key
        return found

    return find


def all_of(track: Track) -> Iterator[TransitionRecord]:
    return (track.transition(number) for number in range(1, track.count + 1))


def called(track: Track, transition: TransitionRecord) -> list[str]:
    states = track.schema_at(transition.number)
    return [states[index].name for index in transition.shape.called]


def has(transition: TransitionRecord, flag: ShapeFlag) -> bool:
    return bool(transition.shape.flags & flag)


def canceled(track: Track) -> list[list[str]]:
    return [called(track, one) for one in all_of(track) if not has(one, ShapeFlag.ACCEPTED)]


def texts_of(track: Track) -> list[str]:
    return [
        text for one in all_of(track) for lines in (one.pre_lines, one.lines) for _, text in lines
    ]


def summary(track: Track) -> list[Summary]:
    """The parts of a history that are the same in every run."""
    return [
        (
            tuple(state.name for state in track.schema_at(one.number)),
            one.shape.type,
            tuple(called(track, one)),
            int(one.shape.flags),
            one.shape.changes,
        )
        for one in all_of(track)
    ]


def test_the_session_is_small() -> None:
    """It has few transitions, each with a purpose."""
    assert SESSION.stat().st_size <= SESSION_BYTES_MAX


@pytest.mark.slow
def test_every_run_makes_the_same_transitions(store: Store, tmp_path: Path) -> None:
    """A new recording has the same transitions as the session of the project."""
    path = tmp_path / "again.msgpack.br"
    variables = {"PYTHONPATH": str(ROOT), "AM_DBG_FILE": str(path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "special_cases.py"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    again = opened(path)

    assert [one.key for one in again.tracks] == [one.key for one in store.tracks]
    for new, old in zip(again.tracks, store.tracks, strict=True):
        kept = limits.TAGS_MAX - 1  # in place of the last one is how many are missing
        assert (new.tags[:kept], new.parent, new.gone) == (old.tags[:kept], old.parent, old.gone)
        assert list(new.gaps) == list(old.gaps)
        assert summary(new) == summary(old)


def test_the_contents_list_every_case(track: Callable[[str], Track]) -> None:
    """One machine has a state for each case, and arguments that describe it."""
    contents = track("contents")
    names = [state.name for state in contents.states if state.name != "Exception"]

    assert [called(contents, one) for one in all_of(contents)] == [*([name] for name in names), []]
    assert all("look for" in dict(one.args) for one in all_of(contents) if one.shape.called)


def test_relations_cancel(track: Callable[[str], Track]) -> None:
    """A called state is dropped if it lacks a required state or an active state removes it."""
    relations = track("relations")

    assert canceled(relations) == [["Wet"], ["Wet"], ["Cloud", "Boat"]]
    assert "[reject] Wet(-Water)" in texts_of(relations)


def test_handlers_cancel_in_each_phase(track: Callable[[str], Track]) -> None:
    """Exit, Enter, state-to-state and AnyEnter handlers deny."""
    denials = track("denials")
    reasons = [text for text in texts_of(denials) if text.startswith("[cancel]")]

    assert reasons == [f"[cancel] (B) by {name}" for name in ("AExit", "BEnter", "AB", "AnyEnter")]
    assert canceled(denials) == [["B"]] * 4


def test_mutations_wait_in_the_queue(track: Callable[[str], Track]) -> None:
    """Handlers queue mutations: a duplicate, and more than the limit."""
    queue = track("queue")

    assert max(one.queue_len for one in all_of(queue)) == 4
    assert any(text.startswith("[queue:skipped]") for text in texts_of(queue))
    assert [called(track("prepended"), one) for one in all_of(track("prepended"))] == [
        ["Door"],
        ["Key"],
        ["Door"],
    ]


def test_checks_are_marked(track: Callable[[str], Track]) -> None:
    """Checks have a flag of their own, and change nothing."""
    asked = [one for one in all_of(track("checks")) if has(one, ShapeFlag.CHECK)]

    assert [has(one, ShapeFlag.ACCEPTED) for one in asked] == [True, False, True, False]
    assert all(one.shape.changes == () for one in asked)


def test_auto_states_are_partly_accepted_and_canceled(track: Callable[[str], Track]) -> None:
    """Of two auto states one activates, and later none."""
    partly, none = (one for one in all_of(track("auto")) if has(one, ShapeFlag.AUTO))

    assert has(partly, ShapeFlag.ACCEPTED)
    assert (len(partly.shape.called), len(partly.shape.changes)) == (2, 1)
    assert (has(none, ShapeFlag.ACCEPTED), none.shape.changes) == (False, ())


def test_multi_states_grow_by_two(track: Callable[[str], Track]) -> None:
    """A multi state that is called while active is entered again."""
    growths = [growth for one in all_of(track("multi")) for _, growth in one.shape.changes]

    assert growths == [1, 2, 2, 1]


def test_all_kinds_of_mutations_occur(track: Callable[[str], Track]) -> None:
    """States are added, removed and set; some calls change nothing."""
    both = track("set and remove")

    assert {one.shape.type for one in all_of(both)} == {0, 1, 2}
    assert () in [one.shape.changes for one in all_of(both)]


def test_errors_occur_in_each_phase(track: Callable[[str], Track]) -> None:
    """A handler of each phase fails, and an error handler too."""
    names = [
        dict(one.args).get("handler", "''")[1:-1]
        for one in all_of(track("errors"))
        if any(step.flags & StepFlag.FAILED for step in one.shape.steps)
    ]

    assert [name for name in names if name] == [
        *("AExit", "BEnter", "AB", "AnyEnter"),
        *("AEnd", "BState", "AnyState"),
    ]
    assert canceled(track("errors of errors")) == [["B"], ["Exception"]]


def test_handlers_run_out_of_time(track: Callable[[str], Track]) -> None:
    """A late handler cancels, in the negotiation and afterwards."""
    late = track("timeouts")

    assert canceled(late) == [["B"], ["B"]]
    assert texts_of(late).count("[cancel] (B) by timeout") == 2


def test_tasks_end_are_canceled_and_fail(track: Callable[[str], Track]) -> None:
    """Coroutine handlers end in all three ways."""
    ends = [text for text in texts_of(track("tasks")) if text.startswith("[task:")]

    assert [text for text in ends if not text.startswith("[task:new]")] == [
        "[task:end] EndsState",
        "[task:cancel] WaitsState",
        "[task:err] FailsState",
    ]


def test_a_schema_changes_twice(track: Callable[[str], Track]) -> None:
    """States are added and reordered, then removed; earlier transitions keep their schema."""
    schema = track("schema")
    names = [[state.name for state in schema.schema_at(number)] for number in (0, 3, 7)]

    assert names == [
        ["Old", "Stays", "Leaves", "Exception"],
        ["New", "Stays", "Leaves", "Old", "Exception"],
        ["Exception", "Stays"],
    ]


def test_ids_are_used_more_than_once(store: Store, track: Callable[[str], Track]) -> None:
    """Two machines have one id at the same time, and two after another."""
    assert [one.key for one in store.tracks if one.id == "twin"] == ["twin", "twin#2"]
    assert [one.key for one in store.tracks if one.id == "phoenix"] == ["phoenix", "phoenix#2"]
    gone = [one.key for one in store.tracks if one.gone]
    assert gone == ["phoenix", "family/child"]
    assert track("family/child/grandchild").parent == "family/child"


def test_a_gap_counts_what_is_missing(track: Callable[[str], Track]) -> None:
    """Transitions that were not sent are counted, and the ticks after them are right."""
    gap = track("gap")

    assert [(one.after_number, one.lost) for one in gap.gaps] == [(1, 13)]
    assert (gap.count, gap.clock_before(2)) == (2, (2, 12, 0))


def test_histories_are_empty_short_and_long(track: Callable[[str], Track]) -> None:
    """There are histories of no transition, of one, of thousands of ticks and of more."""
    assert (track("does nothing").count, track("does one thing").count) == (0, 1)
    assert sum(track("ticker").ticks) > 3_000
    assert sum(track("aged").clock_at(0)) > 2**53


def test_machines_mutate_each_other(track: Callable[[str], Track]) -> None:
    """Sources lead from one machine to another, back, and to one that is not traced."""
    sources = [
        one.source.machine
        for key in ("asker", "answerer")
        for one in all_of(track(key))
        if one.source
    ]

    assert sources == ["answerer", "asker", "unseen"]


def test_waiters_are_made_and_released(track: Callable[[str], Track]) -> None:
    """Waiters are made and released, and functions are evaluated."""
    kinds = {text.partition("]")[0] + "]" for text in texts_of(track("waiting"))}

    assert {"[when:new]", "[when:match]", "[ctx:new]", "[ctx:match]", "[whenNot:match]"} <= kinds
    assert "[eval] division" in texts_of(track("eval"))


def test_lines_of_every_level_occur(track: Callable[[str], Track]) -> None:
    """There are lines of all five levels, and lines between transitions."""
    levels = list(all_of(track("levels")))

    assert {level for one in levels for level, _ in (*one.pre_lines, *one.lines)} == set(range(5))
    assert any(text.startswith("a line of level 4") for one in levels for _, text in one.pre_lines)


def test_lines_are_cut_with_a_mark(track: Callable[[str], Track]) -> None:
    """Lines over 64 KiB and lines beyond the limit are counted; empty lines stay."""
    texts = [text for _, text in track("lines").transition(1).lines]
    size = max(len(text.encode()) for text in texts)

    assert 60_000 < size <= limits.TEXT_BYTES_MAX
    assert sum(text.endswith(" more characters)") for text in texts) == 2
    assert len(texts) == limits.LINES_MAX
    assert texts[-1].endswith(" more lines)")
    assert "" in texts
    assert any("\n" in text for text in texts)


def test_secrets_are_not_sent(store: Store) -> None:
    """Texts that the filter of arguments replaces are not in the session."""
    args = [arg for one in store.tracks for tx in all_of(one) for arg in tx.args]

    assert args.count(("password", "'***'")) == 2
    assert not [text for _, text in args if "open sesame" in text]


def test_the_longest_names_occur(store: Store) -> None:
    """There is a long id, a long state, and as many tags as are kept."""
    (long,) = [one for one in store.tracks if len(one.id) == 10_000]

    assert {len(state.name) for state in long.states} == {1_000, len("Exception")}
    assert len(long.tags) == limits.TAGS_MAX


def test_hostile_texts_are_everywhere(store: Store) -> None:
    """Each text is an id, a tag, a state, an argument's name and value, and a line."""
    carriers = [one for one in store.tracks if one.parent == "texts"]
    control = next(one for one in carriers if one.id.startswith("clears the screen"))
    text = control.states[0].name

    assert len(carriers) > 15
    assert "\x1b[2J" in text
    assert text in control.id
    assert any("\x1b[2J" in tag for tag in control.tags)
    assert text in dict(control.transition(2).args)
    assert f"[error] {text}" in texts_of(control)
