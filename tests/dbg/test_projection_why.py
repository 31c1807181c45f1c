"""Reasons and subscriptions: what steps and log lines show about a transition."""

from __future__ import annotations

import pytest

from am_dbg.projection.denial import Denial, denial_of
from am_dbg.projection.log.gaps import gap_text
from am_dbg.projection.log.line_parts import PartKind, parts_of, state_line_args
from am_dbg.projection.reader import project_reader
from am_dbg.projection.steps import moment_of
from am_dbg.projection.subscriptions import (
    LOOK_BACK_MAX,
    PipeRow,
    TaskRow,
    WaitingRow,
    subscriptions_at,
)
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Gap, GapKind, LogLine, Store, Track
from amtracer.wire.messages import Shape, StateDef, StepDef
from amtracer.wire.vocabulary import ShapeFlag, StepFlag
from tests.screens.stories import (
    BLOCK,
    CANCEL,
    HANDLER,
    RELATION,
    REMOVE_NOT_ACTIVE,
    REQUESTED,
    REQUIRE,
    Story,
    track_of,
)
from tests.transitions import RecordedTransition, write_transition

STATES = (StateDef("Foo"), StateDef("Bar"), StateDef("Baz"))
FOO, BAR, BAZ = 0, 1, 2


def denied(*steps: StepDef, lines: tuple[LogLine, ...] = ()) -> Denial:
    return denial_of(Shape(0, (FOO,), 0, (), steps), STATES, lines)


def track_with_lines(*lines: str) -> Track:
    """A machine whose transitions carry one log line each."""
    story = Story()
    teller = story.machine("worker")
    for at, line in enumerate(lines):
        change = teller.remove if at % 2 else teller.add
        change("Ping", lines=((2, line),))
    return track_of(story)


def why(track: Track, number: int = 1) -> str:
    moment = moment_of(Cursor(track).at(number), Visible(track, ALL))
    return "".join(span.text for span in project_reader(Store(), moment).why).strip()


def test_a_handler_that_denied_is_named() -> None:
    """The flag of its step is the surest sign."""
    assert denied(StepDef(HANDLER, flags=StepFlag.DENIED, source=FOO, target=BAR)).note == (
        "denied by FooBar"
    )


def test_a_handler_that_failed_differs_from_one_that_denied() -> None:
    """An exception is not an answer."""
    denial = denied(StepDef(HANDLER, flags=StepFlag.FAILED | StepFlag.ENTER, target=FOO))

    assert (denial.failed, denial.note) == (True, "failed in FooEnter")


def test_a_blocked_state_names_its_blocker() -> None:
    """An active state that removes the called one keeps it out."""
    denial = denied(
        StepDef(REQUESTED, target=FOO),
        StepDef(RELATION, relation=BLOCK, source=BAR, target=FOO),
        StepDef(REMOVE_NOT_ACTIVE, target=FOO),
        StepDef(CANCEL, target=FOO),
    )

    assert denial == Denial(state="Foo", blocked_by="Bar")
    assert denial.note == "blocked by Bar"


def test_a_missing_requirement_is_named() -> None:
    """A state that requires an inactive one does not come."""
    denial = denied(
        StepDef(RELATION, relation=REQUIRE, source=FOO, target=BAR),
        StepDef(REMOVE_NOT_ACTIVE, target=FOO, source=FOO),
        StepDef(CANCEL, target=BAR),
    )

    assert denial.note == "requires Bar"


def test_a_requirement_that_is_met_is_no_reason() -> None:
    """What dropped a state stands right before the drop; relations before it were in order."""
    denial = denied(
        StepDef(RELATION, relation=REQUIRE, source=FOO, target=BAZ),
        StepDef(RELATION, relation=BLOCK, source=BAR, target=FOO),
        StepDef(REMOVE_NOT_ACTIVE, target=FOO),
        StepDef(CANCEL, target=FOO),
    )

    assert denial == Denial(state="Foo", blocked_by="Bar")


def test_a_missing_requirement_is_named_where_tracers_send_only_its_owner() -> None:
    """The drop may name the state with the requirement instead of the dropped state."""
    denial = denied(
        StepDef(RELATION, relation=REQUIRE, source=FOO, target=BAR),
        StepDef(REMOVE_NOT_ACTIVE, source=FOO),
        StepDef(CANCEL, target=BAR),
        StepDef(CANCEL, target=FOO),
    )

    assert denial == Denial(state="Foo", requires="Bar")


def test_a_state_that_is_dropped_by_several_names_one_that_stays() -> None:
    """A state that removes it, but is dropped as well, keeps nothing out."""
    denial = denied(
        StepDef(RELATION, relation=BLOCK, source=BAR, target=BAZ),
        StepDef(REMOVE_NOT_ACTIVE, target=BAZ),
        StepDef(RELATION, relation=BLOCK, source=BAR, target=FOO),
        StepDef(RELATION, relation=BLOCK, source=BAZ, target=FOO),
        StepDef(REMOVE_NOT_ACTIVE, target=FOO),
    )

    assert denial.blocked_by == "Bar"


def test_only_called_states_decide() -> None:
    """A state that was to come along and was dropped cancels nothing."""
    assert denied(
        StepDef(RELATION, relation=REQUIRE, source=BAZ, target=BAR),
        StepDef(REMOVE_NOT_ACTIVE, source=BAZ),
        StepDef(RELATION, relation=REQUIRE, source=FOO, target=BAR),
        StepDef(REMOVE_NOT_ACTIVE, source=FOO),
    ) == Denial(state="Foo", requires="Bar")


def test_a_required_state_that_is_not_defined_is_named() -> None:
    """Steps have no number for it, but the schema has its name."""
    states = (StateDef("Foo", require=("Bar", "Nowhere")), StateDef("Bar"))
    steps = (
        StepDef(RELATION, relation=REQUIRE, source=FOO),
        StepDef(REMOVE_NOT_ACTIVE, source=FOO),
    )

    assert denial_of(Shape(0, (FOO,), 0, (), steps), states, ()).requires == "Nowhere"


def test_a_handler_that_was_late_differs_from_one_that_raised() -> None:
    """The line of the cancellation shows it."""
    step = StepDef(HANDLER, flags=StepFlag.FAILED | StepFlag.ENTER, target=FOO)

    assert denied(step, lines=((2, "[cancel] (Foo) by timeout"),)).note == "late in FooEnter"


def test_the_log_line_of_a_cancellation_names_the_handler() -> None:
    """Older sessions have no flags; their lines show it."""
    line = (2, "[cancel] (Foo Bar) by FooEnter")

    assert denied(lines=(line,)).note == "denied by FooEnter"
    assert denied(lines=((2, "[cancel] (Foo) by timeout"),)).failed


def test_without_a_word_the_last_handler_is_meant() -> None:
    """The negotiation ends with the one that denied."""
    assert denied(StepDef(HANDLER, source=FOO)).note == "denied by FooExit"


def test_a_rejection_without_reason_is_shown_as_such() -> None:
    """Nothing is guessed."""
    assert denied(StepDef(CANCEL, target=FOO)).note == "rejected Foo"
    assert denied().note == "canceled"


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            ((RELATION, "Healthcheck", "Ping", BLOCK), (REMOVE_NOT_ACTIVE, "", "Ping", -1)),
            "blocked",
        ),
        ((), "the relations rejected it"),
    ],
)
def test_why_names_what_relations_kept_out(
    steps: tuple[tuple[int, str, str, int], ...], text: str
) -> None:
    """A rejection is explained in words."""
    story = Story()
    teller = story.machine("worker")
    shown = [teller.step(kind, a, b, relation=relation) for kind, a, b, relation in steps]
    teller.cancel("Ping", steps=shown)

    assert text in why(track_of(story))


def test_why_mentions_a_call_that_changed_nothing() -> None:
    """An add of what is active and a remove of what is not are accepted all the same."""
    story = Story()
    teller = story.machine("worker")
    teller.add("Start")
    teller.mutate(0, ("Start",))
    teller.mutate(1, ("Ping", "Logged"))

    track = track_of(story)

    assert why(track, 2).startswith("Start was active already.")
    assert why(track, 3).startswith("Logged and Ping were inactive already.")


@pytest.mark.parametrize(
    ("accepted", "growth", "text"),
    [
        (True, 1, "Ping was activated."),
        (True, 2, "Ping was called again."),
        (True, -1, "Ping was deactivated."),
        (True, -2, "Ping was activated and deactivated again."),
        (False, 1, "Ping was activated."),
        (False, 2, "Ping was deactivated and activated again."),
        (False, -1, "Ping was deactivated."),
        (False, -2, "Ping was activated and deactivated again."),
    ],
)
def test_why_shows_what_ticks_did(accepted: bool, growth: int, text: str) -> None:
    """A final handler that fails leaves changes behind, and nothing else is claimed."""
    shown = why(changing(growth, accepted=accepted))

    assert text in shown
    assert "no tick changed" not in shown


def changing(growth: int, *, accepted: bool) -> Track:
    """A machine whose only transition lets one tick grow."""
    story = Story()
    active = growth in (-1, 2)
    schema = story.writer.schema((StateDef("Ping"),))
    number = story.writer.machine("worker", schema, ticks=(int(active),))
    shape = Shape(0, (0,), int(accepted), ((0, growth),))
    write_transition(story.writer, number, RecordedTransition(shape, story.now))
    return track_of(story)


MANY = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K")


def adding(called: str, *added: str) -> Track:
    """A machine whose only transition calls these states and activates those."""
    story = Story()
    story.machine("worker", tuple(map(StateDef, MANY))).add(*called, added=added)
    return track_of(story)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (7, "A, B, C, D, E, F and G were activated."),
        (8, "A, B, C, D, E, F, G and H were activated."),
        (9, "A, B, C, D, E, F, G, H and 1 more were activated."),
        (10, "A, B, C, D, E, F, G, H and 2 more were activated."),
    ],
)
def test_why_names_eight_called_states_and_counts_the_rest(count: int, text: str) -> None:
    """Only what is beyond the eighth name is counted."""
    called = MANY[:count]

    assert why(adding("".join(called), *called)).endswith(f"{text} Nothing blocked it.")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (8, "H was activated. I was activated."),
        (9, "I was activated. 1 more was activated."),
        (10, "I was activated. 2 more were activated."),
    ],
)
def test_why_names_eight_implied_states_and_counts_the_rest(count: int, text: str) -> None:
    """Each of the eight has a sentence of its own, the others share one."""
    assert why(adding("A", *MANY[: count + 1])).endswith(f"{text} Nothing blocked it.")


def test_why_states_that_a_check_changes_nothing() -> None:
    """A check shows what would happen, not what did."""
    story = Story()
    teller = story.machine("worker")
    flags = ShapeFlag.ACCEPTED | ShapeFlag.CHECK
    write_transition(
        story.writer, teller.number, RecordedTransition(Shape(0, (0,), flags), story.now)
    )

    shown = why(track_of(story))

    assert shown.startswith("A check: nothing changes. It would be accepted.")
    assert "already" not in shown


def test_why_names_auto_states_that_did_not_come() -> None:
    """An auto transition is accepted with one of its states; what denied the others is named."""
    story = Story()
    teller = story.machine("worker")
    steps = (teller.handler("PingEnter", StepFlag.DENIED),)
    teller.add("Start", "Ping", added=("Start",), auto=True, steps=steps)

    shown = why(track_of(story))

    assert shown.endswith("Start was activated. Ping was not activated. PingEnter denied it.")


def test_why_mentions_a_failure_after_acceptance() -> None:
    """A final handler that fails cannot cancel; the failure is mentioned too."""
    story = Story()
    teller = story.machine("worker")
    teller.add("Ping", steps=(teller.handler("PingState", StepFlag.FAILED),))

    assert why(track_of(story)).endswith("But PingState failed.")


def test_waiters_of_every_kind_end_with_their_match() -> None:
    """A waiter written with commas and one written with spaces are the same."""
    lines = (
        "[when:new] Start Ready",
        "[whenNot:new] Ping",
        "[whenTime:new] Start,Ping 3,1",
        "[whenArgs:new] Ping (id)",
        "[ctx:new] Start",
        "[when:match] Start,Ready",
        "[whenNot:match] Ping",
        "[whenTime:match] Start Ping [3 1]",
        "[whenArgs:match] Ping (id)",
        "[ctx:match] Start",
    )
    track = track_with_lines(*lines)

    half = subscriptions_at(track, 5).waiting

    assert [(row.verb, row.states, row.condition) for row in half] == [
        ("when", "Start Ready", ""),
        ("when not", "Ping", ""),
        ("ticks", "Start Ping", "3 1"),
        ("args", "Ping", "id"),
        ("ctx", "Start", ""),
    ]
    assert subscriptions_at(track, 10).waiting == ()


def test_a_waiter_shows_since_when() -> None:
    """The machine's time when it began is kept."""
    assert subscriptions_at(track_with_lines("", "[when:new] Start"), 2).waiting == (
        WaitingRow("when", "Start", "", 2),
    )


def test_pipes_are_there_until_their_machine_is_gone() -> None:
    """A disposed machine takes its pipes along."""
    track = track_with_lines(
        "[pipe-out:add] Ready to other", "[pipe-in:remove] Ping from third", "[pipe:gc] other"
    )

    assert [pipe.machine for pipe in subscriptions_at(track, 2).pipes] == ["other", "third"]
    assert subscriptions_at(track, 3).pipes == (PipeRow("in", "Ping", "remove", "third", 2),)


def test_a_pipe_that_was_removed_is_gone() -> None:
    """Removing a pipe ends both of its directions between a state and a machine, no others."""
    lines = "add] Ready to", "remove] Ready to", "add] Ping to", "unbind] Ready to"
    track = track_with_lines(*(f"[pipe-out:{line} other" for line in lines))

    assert len(subscriptions_at(track, 3).pipes) == 3
    assert subscriptions_at(track, 4).pipes == (PipeRow("out", "Ping", "add", "other", 3),)


def test_tasks_are_there_until_they_end() -> None:
    """A task goes on after its transition; of several of one handler the oldest ends first."""
    ends = ["[task:end] BState", "[task:cancel] AState", "[task:err] AState", "[task:end] XState"]
    new = ["[task:new] AState", "[task:new] BState", "[task:new] AState"]
    track = track_with_lines(*new, *ends)

    both = (TaskRow("AState", 1), TaskRow("BState", 2), TaskRow("AState", 3))
    assert subscriptions_at(track, 3).tasks == both
    assert subscriptions_at(track, 5).tasks == (TaskRow("AState", 3),)
    assert subscriptions_at(track, 7).tasks == ()


def test_old_subscriptions_are_marked_as_unread() -> None:
    """Looking back has a limit, and the view shows when it was reached."""
    lines = [f"[when:new] Start{number}" for number in range(LOOK_BACK_MAX + 1)]

    assert not subscriptions_at(track_with_lines(*lines[:-1]), LOOK_BACK_MAX).is_cut
    assert subscriptions_at(track_with_lines(*lines), LOOK_BACK_MAX + 1).is_cut


def test_lines_that_mean_nothing_are_passed_over() -> None:
    """A line that only looks like a subscription is no subscription."""
    track = track_with_lines("[when:odd] A", "[ctx:odd] A", "[pipe-up:add] A", "[pipe-out:add] A")

    assert subscriptions_at(track, 4).waiting == ()
    assert subscriptions_at(track, 4).pipes == ()


def test_a_log_line_has_parts_with_a_meaning() -> None:
    """Prefix, signed states and argument names are different parts."""
    parts = [(part.kind, part.text.strip()) for part in parts_of("[state] +Foo -Bar key=1")]

    assert parts == [
        (PartKind.PREFIX, "[state]"),
        (PartKind.TEXT, ""),
        (PartKind.ADDED, "+Foo"),
        (PartKind.TEXT, ""),
        (PartKind.REMOVED, "-Bar"),
        (PartKind.TEXT, ""),
        (PartKind.KEY, "key="),
        (PartKind.TEXT, "1"),
    ]


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("[error]", PartKind.ERROR_PREFIX),
        ("[handler:0]", PartKind.HANDLER_PREFIX),
        ("[when:new]", PartKind.QUIET_PREFIX),
    ],
)
def test_prefixes_are_of_different_weight(prefix: str, kind: PartKind) -> None:
    """Errors and handlers stand out, bookkeeping steps back."""
    assert parts_of(f"{prefix} x")[0].kind is kind


def test_a_line_without_a_prefix_is_text() -> None:
    """Programs may write anything."""
    assert [part.kind for part in parts_of("just words")] == [PartKind.TEXT]


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("[state] +Foo -Bar (id=1 name=x)", "id=1 name=x"),
        ("[state:auto] +Foo ... Bar Baz topic=t", "topic=t"),
        ("[state] +Foo", ""),
        ("[add] Foo (id=1)", ""),
    ],
)
def test_arguments_are_found_behind_the_states(line: str, args: str) -> None:
    """Older sessions have arguments in the line of the change only."""
    assert state_line_args(((1, line),), {"Foo", "Bar", "Baz"}) == args


@pytest.mark.parametrize("kind", GapKind)
def test_every_break_has_words(kind: GapKind) -> None:
    """Whatever is missing has a text, with the reason if there is one."""
    text = gap_text(Gap(3, 1, "why\x1b", kind))

    assert text.endswith(": why\\x1b")
    assert "1 transitions" not in text


@pytest.mark.parametrize(
    ("kind", "reason", "text"),
    [
        (GapKind.SCHEMA, "schema changed", "the schema changed"),
        (GapKind.DROPPED, "dropped", "2 transitions lost"),
        (GapKind.DROPPED, "paused", "2 transitions lost: paused"),
        (GapKind.RECONNECTED, "reconnected", "reconnected, 2 transitions missing"),
    ],
)
def test_the_reason_of_a_break_is_not_repeated(kind: GapKind, reason: str, text: str) -> None:
    """A reason that only names the kind of break adds nothing to the text."""
    assert gap_text(Gap(3, 2, reason, kind)) == text
