"""Why a state is not active: what it lacks, what keeps it out, who refused it, who never called."""

from __future__ import annotations

from random import Random

import pytest

import machine as am
from am_dbg.projection.reasons import why_not as why_not_module
from am_dbg.projection.reasons.activations import Activation, activations
from am_dbg.projection.reasons.outcome import Drop, Relations, outcome_of
from am_dbg.projection.reasons.why_not import LEVELS_MAX, Since, WhyNotView, since_of, why_not
from am_dbg.projection.reasons.why_not_rows import reason_rows
from am_dbg.store import Track
from amtracer.wire.messages import Shape, StateDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from machine._resolution.resolve import resolve
from tests.screens.stories import (
    BLOCK,
    HANDLER,
    RELATION,
    REMOVE,
    REMOVE_NOT_ACTIVE,
    REQUIRE,
    Story,
    Teller,
    track_of,
)
from tests.transitions import RecordedTransition, write_transition

WIZARD = (
    StateDef("Plan", require=("AccountValid", "Online")),
    StateDef("AccountValid", auto=True, require=("Online",)),
    StateDef("AccountInvalid", remove=("AccountValid",)),
    StateDef("Online", remove=("Offline",)),
    StateDef("Offline", remove=("Online",)),
    StateDef("Summary", add=("Footer",), require=("Footer", "Nowhere")),
    StateDef("Footer"),
    StateDef("Exception", multi=True),
)


def wizard(story: Story, states: tuple[StateDef, ...] = WIZARD) -> Teller:
    return story.machine("worker", states)


def rows(track: Track, name: str, number: int = 0) -> list[str]:
    return [row.text for row in reason_rows(track, number or track.count, name)]


def invalid_account() -> Track:
    """A machine whose account is invalid, so that no plan can be chosen."""
    story = Story()
    teller = wizard(story)
    teller.add("Online")
    teller.mutate(0, ("AccountValid",), ("AccountValid",), auto=True)
    teller.add(
        "AccountInvalid",
        removed=("AccountValid",),
        steps=(
            teller.step(RELATION, "AccountInvalid", "AccountValid", relation=BLOCK),
            teller.step(REMOVE, target="AccountValid"),
        ),
    )
    return track_of(story)


def test_a_missing_requirement_shows_why_it_is_missing() -> None:
    """The reasons of a requirement stand below it, without any log level."""
    assert rows(invalid_account(), "Plan") == [
        "├ never active",
        "├ requires ○ AccountValid  auto, blocked  since tx 3 (removed by AccountInvalid)",
        "│ └ kept out by ● AccountInvalid  since tx 3 (called)",
        "├ kept out by nothing active",
        "└ never called",
    ]


def test_a_row_leads_to_the_transition_that_it_names() -> None:
    """Number 0 leads nowhere."""
    assert [row.number for row in reason_rows(invalid_account(), 3, "Plan")] == [0, 3, 3, 0, 0]


def test_an_active_state_has_no_reasons() -> None:
    """Neither has a state that the schema does not have."""
    track = invalid_account()

    assert why_not(track, 2, "AccountValid") is None
    assert why_not(track, 3, "Nowhere") is None
    assert rows(track, "Online") == []


def test_a_state_is_explained_at_any_moment() -> None:
    """Later transitions do not count."""
    assert rows(invalid_account(), "Plan", 1) == [
        "├ never active",
        "├ requires ○ AccountValid  auto, not blocked  never active",
        "├ kept out by nothing active",
        "└ never called",
    ]


def test_a_state_that_a_call_replaces_keeps_nothing_out() -> None:
    """Of two states that remove each other, the called one wins."""
    track = invalid_account()
    answer = why_not(track, 3, "Offline")

    assert answer is not None
    assert not answer.is_blocked
    assert rows(track, "Offline") == [
        "├ never active",
        "├ requirements met, kept out by nothing",
        "├ a call replaces ● Online  since tx 1 (called)",
        "└ never called",
    ]


def test_an_auto_state_does_not_win_against_a_state_that_it_removes() -> None:
    """Auto states that an active state removes are not called."""
    story = Story()
    states = (StateDef("A", remove=("B",)), StateDef("B", auto=True, remove=("A",)))
    wizard(story, states).add("A")
    answer = why_not(track_of(story), 1, "B")

    assert answer is not None
    assert answer.is_kept_out


def test_a_requirement_that_the_state_adds_itself_is_not_missing() -> None:
    """It comes along. A requirement that the schema does not define never does."""
    track = invalid_account()

    assert rows(track, "Summary") == [
        "├ never active",
        "├ requires ○ Nowhere, which the schema does not define",
        "├ requires ○ Footer, which it adds itself",
        "│ └ never called",
        "├ kept out by nothing active",
        "└ never called",
    ]
    assert rows(track, "Footer")[-1] == "└ comes along with ○ Summary"


def test_a_state_that_removes_what_it_requires_never_comes() -> None:
    """The row shows the contradiction of the schema."""
    story = Story()
    states = (StateDef("On"), StateDef("S", require=("On",), remove=("On",)))
    wizard(story, states).add("On")

    assert rows(track_of(story), "S")[1] == "├ requires ● On, which it removes"


def test_a_state_can_be_kept_out_by_one_that_it_adds() -> None:
    """Added states are decided first."""
    story = Story()
    states = (StateDef("On"), StateDef("S", add=("T",)), StateDef("T", remove=("S",)))
    wizard(story, states).add("On")

    assert rows(track_of(story), "S")[1] == "├ kept out by ○ T, which it adds"


def test_a_requirement_that_an_added_state_removes_is_named() -> None:
    """It is active, and would not stay."""
    story = Story()
    states = (
        StateDef("On"),
        StateDef("S", require=("On",), add=("T",)),
        StateDef("T", remove=("On",)),
    )
    wizard(story, states).add("On")

    assert rows(track_of(story), "S")[1] == "├ requires ● On, which T would remove"


def test_a_state_that_comes_with_an_added_one_keeps_out_too() -> None:
    """The states that an active multi state adds again are decided with the call."""
    story = Story()
    states = (
        StateDef("On", multi=True, add=("T",)),
        StateDef("S"),
        StateDef("T", remove=("S",), require=("S",)),
    )
    wizard(story, states).add("On")

    assert rows(track_of(story), "S")[1] == "├ kept out by ○ T, which On adds"


NAMES = "ABCDEFG"


@pytest.mark.parametrize("seed", range(24))
def test_the_reasons_agree_with_the_machine(seed: int) -> None:
    """For each state of any schema: what a call of it does, and what auto states do.

    Each state that does not come has a reason.
    """
    random = Random(seed)
    for _ in range(12):
        mach, states = random_machine(random)
        track = track_at(mach, states)
        answers = [one for name in NAMES if (one := why_not(track, 1, name))]
        for answer in answers:
            is_refused = mach.can_add1(answer.name) is am.Result.CANCELED
            assert answer.refuses_call is is_refused, (states, track.clock_at(1), answer)
            assert not answer.is_blocked or answer.is_missing or answer.is_kept_out, states
            assert_same_reasons(mach, answer)
        activated = auto_targets(mach)
        for answer in answers:
            if answer.is_auto:
                assert answer.is_blocked is (answer.name not in activated), (states, answer)
            else:
                assert answer.is_blocked is answer.refuses_call


def assert_same_reasons(mach: am.Machine, answer: WhyNotView) -> None:
    """The library has the same states missing and the same states in the way of a call."""
    own = mach.why_not(answer.name)
    assert bool(own) is answer.refuses_call, (own, answer)
    outcome = outcome_of(Relations(states_of(mach)), mach.active_states(), [answer.name])
    drop = Drop() if answer.name in outcome.active else outcome.drops[answer.name]
    assert tuple(one.state for one in own.missing) == drop.missing, (own, answer)
    assert own.blockers == drop.removers, (own, answer)


def auto_targets(mach: am.Machine) -> set[str]:
    """The states that are active after the next auto mutation; none if it is refused."""
    schema, node = mach._schema, mach._node
    if node.auto is None:
        return set()
    verdict = resolve(schema, node.active, node.auto)
    return {schema.names[index] for index in verdict.targets} if verdict.accepted else set()


def random_machine(random: Random) -> tuple[am.Machine, tuple[StateDef, ...]]:
    """A machine with random relations, after some mutations."""
    struct = {name: relations(random, name) for name in NAMES}
    mach = am.Machine(None, struct, id="agrees")
    for name in random.choices(NAMES, k=6):
        (mach.remove1 if random.random() < 0.3 else mach.add1)(name)
    return mach, states_of(mach)


def states_of(mach: am.Machine) -> tuple[StateDef, ...]:
    """The schema of a machine, as it is recorded."""
    return tuple(
        StateDef(name, one.auto, one.multi, one.require, one.add, one.remove)
        for name, one in mach.get_struct().items()
    )


def relations(random: Random, own: str) -> am.State:
    """A state of which an eighth of all others is required, added or removed."""
    others = [name for name in NAMES if name != own]
    require, add, remove = ([one for one in others if random.random() < 0.12] for _ in "rar")
    auto, multi = random.random() < 0.25, random.random() < 0.2
    return am.State(require=require, add=add, remove=remove, auto=auto, multi=multi)


def track_at(mach: am.Machine, states: tuple[StateDef, ...]) -> Track:
    """A recording of a machine that holds its present clock."""
    story = Story()
    schema = story.writer.schema(states)
    number = story.writer.machine("worker", schema, ticks=tuple(mach.time()), tx_prefix="a" * 16)
    write_transition(story.writer, number, RecordedTransition(Shape(0, (), 1), story.now))
    return track_of(story)


def test_the_handler_that_refused_a_state_last_is_named() -> None:
    """Refusals count since the state was last active."""
    story = Story()
    teller = wizard(story)
    for _ in range(3):
        steps = (teller.step(HANDLER, target="Online", flags=StepFlag.DENIED | StepFlag.ENTER),)
        teller.cancel("Online", steps=steps)
    track = track_of(story)

    assert rows(track, "Online")[-1] == "└ refused 3 times, last in tx 3: denied by OnlineEnter"
    assert rows(track, "Online", 1)[-1] == "└ refused in tx 1: denied by OnlineEnter"


def test_a_refusal_before_the_state_was_active_does_not_count() -> None:
    """What happened since then explains more."""
    story = Story()
    teller = wizard(story)
    teller.cancel("Online")
    teller.add("Online")
    teller.remove("Online")

    assert rows(track_of(story), "Online") == [
        "├ ○ since tx 3 (removed by a call)",
        "├ requirements met, kept out by nothing",
        "└ last call: tx 2",
    ]


def test_an_auto_transition_refuses_each_state_for_its_own_reason() -> None:
    """It is accepted with one of its states; the others were denied or lack something."""
    story = Story()
    states = tuple(StateDef(name, auto=name < "D") for name in "ABCD")
    teller = wizard(story, states)
    teller.mutate(
        0,
        ("A", "B", "C"),
        ("A",),
        auto=True,
        steps=(
            teller.step(RELATION, "C", "D", relation=REQUIRE),
            teller.step(REMOVE_NOT_ACTIVE, "C"),
            teller.step(HANDLER, target="B", flags=StepFlag.FAILED | StepFlag.ENTER),
        ),
    )
    track = track_of(story)

    assert rows(track, "B")[-1] == "└ refused in tx 1: failed in BEnter"
    assert rows(track, "C")[-1] == "└ refused in tx 1: requires D"


def test_a_check_is_no_call() -> None:
    """It asks what would happen, so nothing refused the state."""
    story = Story()
    teller = wizard(story)
    write_transition(
        story.writer, teller.number, RecordedTransition(Shape(0, (3,), ShapeFlag.CHECK), story.now)
    )

    assert rows(track_of(story), "Online")[-1] == "└ never called"


def test_reasons_end_in_a_cycle_and_at_a_depth() -> None:
    """A state is explained once, and only some levels deep."""
    chain = [StateDef(f"S{at}", require=(f"S{at + 1}",)) for at in range(LEVELS_MAX + 2)]
    story = Story()
    wizard(story, (*chain, StateDef(f"S{LEVELS_MAX + 2}", require=("S0",)), StateDef("On"))).add(
        "On"
    )
    track = track_of(story)

    depths = [row.depth for row in reason_rows(track, 1, "S0") if "requires" in row.text]
    last = [row.text for row in reason_rows(track, 1, f"S{LEVELS_MAX + 1}")]

    assert depths == list(range(LEVELS_MAX))
    assert sum("requires" in text for text in last) == LEVELS_MAX


def test_many_reasons_of_one_kind_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state with hundreds of relations stays readable."""
    monkeypatch.setattr(why_not_module, "LISTED_MAX", 2)
    story = Story()
    names = ("A", "B", "C")
    states = (StateDef("On"), StateDef("S", require=names), *map(StateDef, names))
    wizard(story, states).add("On")

    assert rows(track_of(story), "S")[-1] == "└ 1 more of these"


def test_a_state_that_changed_in_a_gap_has_an_unknown_cause() -> None:
    """The transition that changed it is lost."""
    story = Story()
    teller = wizard(story)
    teller.add("Online")
    teller.ticks[teller.index("Online")] += 1
    teller.lose(2)
    teller.add("Footer")
    track = track_of(story)

    assert since_of(track, 2, "Online") == Since(1)
    assert rows(track, "Online")[0] == "├ ○ since a gap after tx 1"


def test_names_of_a_program_are_made_safe() -> None:
    """A terminal never gets what it would obey."""
    story = Story()
    wizard(story, (StateDef("On"), StateDef("S", require=("\x1b[31mRed",)))).add("On")

    assert rows(track_of(story), "S")[1] == (
        "├ requires ○ \\x1b[31mRed, which the schema does not define"
    )


def spans(track: Track, name: str) -> list[tuple[int, int | None]]:
    """The first and the last transition of each activation."""
    return [(one.begin.number, one.end.number if one.end else None) for one in listed(track, name)]


def listed(track: Track, name: str) -> list[Activation]:
    return list(activations(track, name))


def test_activations_have_a_begin_an_end_and_their_causes() -> None:
    """The last one may still go on."""
    track = invalid_account()
    (valid,) = listed(track, "AccountValid")

    assert (valid.begin.number, valid.end and valid.end.number) == (2, 3)
    assert valid.begin.cause
    assert valid.begin.cause.words == "auto"
    assert valid.end
    assert valid.end.cause
    assert valid.end.cause.words == "removed by AccountInvalid"
    assert valid.duration_ns == 1_000_000
    assert spans(track, "Online") == [(1, None)]
    assert listed(track, "Online")[0].duration_ns == 0
    assert listed(track, "Plan") == []


def test_a_multi_state_that_is_called_again_begins_again() -> None:
    """Each call is an activation of its own."""
    story = Story()
    teller = wizard(story)
    teller.add("Exception")
    again = Shape(0, (teller.index("Exception"),), 1, ((teller.index("Exception"), 2),))
    write_transition(story.writer, teller.number, RecordedTransition(again, story.now))

    assert spans(track_of(story), "Exception") == [(1, 2), (2, None)]


def test_an_activation_may_begin_and_end_in_one_transition() -> None:
    """A final handler that fails reverts the state."""
    story = Story()
    teller = wizard(story)
    reverted = Shape(0, (teller.index("Online"),), 0, ((teller.index("Online"), -2),))
    write_transition(story.writer, teller.number, RecordedTransition(reverted, story.now))

    assert spans(track_of(story), "Online") == [(1, 1)]


def test_an_activation_that_ends_in_a_gap_ends_without_a_cause() -> None:
    """It ended unseen, after the last transition before the gap."""
    story = Story()
    teller = wizard(story)
    teller.add("Online")
    teller.ticks[teller.index("Online")] += 1
    teller.lose(2)
    teller.add("Online")
    track = track_of(story)

    first = listed(track, "Online")[0]

    assert spans(track, "Online") == [(1, 1), (2, None)]
    assert first.end is not None
    assert first.end.cause is None
