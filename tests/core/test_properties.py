"""What holds for every schema and every run of mutations, compared with a naive model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import machine as am
from tests.core.naive import Naive

NAMES = ["A", "B", "C", "D", "E", "F"]
MUTATIONS_MAX = 8
EXECUTED, CANCELED = am.Result.EXECUTED, am.Result.CANCELED

Call = tuple[str, list[str]]
Struct = dict[str, am.State]


def some(names: Iterable[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(names)), max_size=most, unique=True)


states = st.builds(
    am.State,
    auto=st.sampled_from([False, False, False, True]),
    multi=st.sampled_from([False, False, False, True]),
    require=st.one_of(st.just([]), some(NAMES, 2), some([*NAMES, "Ghost"], 1)),
    add=some(NAMES, 2),
    remove=some(NAMES, 3),
    after=st.one_of(st.just([]), some(NAMES, 2)),
)
structs = st.fixed_dictionaries(dict.fromkeys(NAMES, states))
calls = st.tuples(st.sampled_from(["add", "add", "set", "remove"]), some(NAMES, 3))
runs = st.lists(calls, min_size=1, max_size=MUTATIONS_MAX)
handler_names = st.lists(
    st.sampled_from(
        [one + phase for one in NAMES for phase in ("Exit", "Enter", "State", "End")]
        + [one + other for one in NAMES for other in NAMES]
        + ["AnyEnter", "AnyState"]
    ),
    max_size=4,
    unique=True,
)


def make(mach: am.Machine, call: Call) -> am.Result:
    kind, called = call
    result = getattr(mach, kind)(called)
    assert isinstance(result, am.Result)
    return result


@pytest.fixture(autouse=True)
def _no_warnings_of_schemas(caplog: pytest.LogCaptureFixture) -> None:
    """Random schemas have long chains and undefined targets; other tests check those warnings."""
    caplog.set_level("ERROR", "asyncmachine")


@pytest.mark.slow
@given(structs, runs)
@settings(max_examples=600)
def test_a_machine_does_what_the_rules_say(struct: Struct, run: list[Call]) -> None:
    """With its memory and without: results, active list and ticks of a naive model."""
    model = Naive(struct)
    cached, uncached = am.Machine(None, struct), am.Machine(None, struct, cache=0)

    for call in run:
        expected = model.mutate(*call)
        for mach in (cached, uncached):
            assert str(make(mach, call)) == expected
            assert mach.active_states() == model.active
            assert mach.clock() == model.ticks


@pytest.mark.slow
@given(structs, runs)
@settings(max_examples=250)
def test_what_holds_between_transitions(struct: Struct, run: list[Call]) -> None:
    """Odd ticks are active; requirements are met; who is called has removed what it removes."""
    mach = am.Machine(None, struct)

    for call in run:
        result = make(mach, call)
        active = mach.active_states()
        assert len(active) == len(set(active))
        assert [n for n in mach.state_names() if mach.tick(n) % 2] == sorted(active, key=mach.index)
        cleaned = mach.get_struct()
        assert all(mach.is_(cleaned[name].require or ()) for name in active)
        if result is EXECUTED and call[0] != "remove":
            called = [name for name in call[1] if mach.is1(name)]
            assert not any(mach.any1(*(cleaned[name].remove or ())) for name in called)


@pytest.mark.slow
@given(structs, runs)
@settings(max_examples=250)
def test_no_state_that_survived_the_remove_pass_leaves_active_what_it_removes(
    struct: Struct, run: list[Call]
) -> None:
    """Both of a pair are active only if the remover was implied after that pass."""
    model, mach = Naive(struct), am.Machine(None, struct)

    for call in run:
        make(mach, call)
        if model.mutate(*call) == "executed":
            for survivor in model.survivors:
                if survivor in model.active:
                    assert not mach.any1(*model.states[survivor]["remove"])


class Events(am.Tracer):
    """One letter for each event, and the transitions."""

    def __init__(self) -> None:
        self.text = ""
        self.txs: list[am.Transition] = []

    def mutation_queued(self, machine: am.Machine, mutation: am.Mutation) -> None:
        self.text += "m"

    def transition_init(self, tx: am.Transition) -> None:
        self.text += "i"

    def transition_start(self, tx: am.Transition) -> None:
        self.text += "s"

    def handler_start(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.text += "("

    def handler_end(self, tx: am.Transition, emitter: str, handler: str) -> None:
        self.text += ")"

    def transition_end(self, tx: am.Transition) -> None:
        self.text += "e"
        self.txs.append(tx)

    def queue_end(self, machine: am.Machine) -> None:
        self.text += "q"


@pytest.mark.slow
@given(structs, runs)
@settings(max_examples=200)
def test_the_short_way_comes_to_the_same(struct: Struct, run: list[Call]) -> None:
    """A machine that nobody watches ends up like one with a tracer, order included."""
    bare, watched = am.Machine(None, struct), am.Machine(None, struct, tracers=[Events()])

    for call in run:
        assert make(bare, call) is make(watched, call)
        assert bare.active_states() == watched.active_states()
        assert bare.time() == watched.time()


def behave(
    mach: am.Machine, deny: list[str], fail: list[str], nested: list[Call], limit: int = 12
) -> list[str]:
    """Bind handlers that deny, fail a few times, and mutate a few times; names of those called."""
    called: list[str] = []
    left = [limit]
    again = list(nested)

    def handler(event: am.Event) -> bool:
        called.append(event.name)
        if again:
            make(mach, again.pop())
        if event.name in fail and left[0]:
            left[0] -= 1
            raise RuntimeError(event.name)
        return event.name not in deny

    names = {*deny, *fail, "AEnter", "BState", "AB", "CExit", "DEnd", "AnyEnter"}
    mach.bind_handlers(dict.fromkeys(sorted(names), handler))
    return called


@pytest.mark.slow
@given(structs, runs, handler_names)
@settings(max_examples=220)
def test_a_canceled_mutation_changes_no_tick(
    struct: Struct, run: list[Call], deny: list[str]
) -> None:
    """No matter what rejects it, relations or a negotiation handler."""
    mach = am.Machine(None, struct)
    behave(mach, deny, [], [])

    for call in run:
        before = mach.time()
        if make(mach, call) is CANCELED:
            assert mach.time() == before


@pytest.mark.slow
@given(structs, runs, handler_names, handler_names, runs)
@settings(max_examples=250)
def test_events_follow_their_grammar(
    struct: Struct, run: list[Call], deny: list[str], fail: list[str], nested: list[Call]
) -> None:
    """Transitions do not overlap, handlers lie within them, and the queue ends after all."""
    events = Events()
    mach = am.Machine(None, struct, tracers=[events], log_stack_trace=False)
    behave(mach, deny, fail, nested)

    for call in run:
        events.text = ""
        make(mach, call)
        assert re.fullmatch(r"(is(\(m*\))*e)+q", events.text)

    time = [0] * len(mach.state_names())
    for tx in events.txs:
        assert list(tx.time_before) == time
        time = list(tx.time_after)
        assert all(b <= a for b, a in zip(tx.time_before, tx.time_after, strict=True))
        assert tx.completed
    assert list(mach.time()) == time
    assert len({tx.id for tx in events.txs}) == len(events.txs)


def busy_log(mach: am.Machine) -> None:
    mach.set_logger_empty(am.LogLevel.EVERYTHING)


def traced(mach: am.Machine) -> None:
    mach.bind_tracer(Events())


def waited_for(mach: am.Machine) -> None:
    kept = [mach.when1("A"), mach.when_args("B", {"never": 1}), mach.when_not(["C", "D"])]
    mach.handle_dispose(lambda name, ctx: kept.clear())


@pytest.mark.slow
@pytest.mark.parametrize("watch", [busy_log, traced, waited_for])
@given(structs, runs, handler_names, handler_names, runs)
@settings(max_examples=110)
def test_being_watched_changes_nothing(
    watch: Callable[[am.Machine], None],
    struct: Struct,
    run: list[Call],
    deny: list[str],
    fail: list[str],
    nested: list[Call],
) -> None:
    """A log, a tracer or waiters: same results, same handlers, same ticks; no memory either."""
    told: list[Any] = []
    for watched, cache in ((False, am.NODES_MAX), (True, am.NODES_MAX), (True, 0)):
        mach = am.Machine(None, struct, cache=cache, log_stack_trace=False)
        if watched:
            watch(mach)
        called = behave(mach, deny, fail, nested)
        results = [make(mach, call) for call in run]
        told.append((results, called, mach.active_states(), mach.time(), str(mach.err)))

    assert told[0] == told[1] == told[2]


def test_threads_lose_nothing(in_threads: Callable[..., None]) -> None:
    """N threads with M mutations each: every one is carried out once, in a transition."""
    events = Events()
    rounds, names = 300, NAMES[:4]
    mach = am.Machine(
        None, {n: am.State(multi=True) for n in names}, tracers=[events], queue_limit=10**6
    )

    def add(name: str) -> None:
        for number in range(rounds):
            assert mach.add1(name, {"n": number}) is not CANCELED

    in_threads(*[lambda name=name: add(name) for name in names])

    assert mach.time(names) == [2 * rounds - 1] * len(names)
    assert len({tx.id for tx in events.txs}) == rounds * len(names)
    for name in names:
        numbers = [tx.args()["n"] for tx in events.txs if tx.called_states() == [name]]
        assert numbers == list(range(rounds))
    assert re.fullmatch(r"(ise)+", re.sub("[mq]", "", events.text))  # those of other threads
    assert mach.queue_len() == 0


def test_readers_see_one_moment(in_threads: Callable[..., None]) -> None:
    """While others mutate, the parity of a time and the text of a machine fit together."""
    mach = am.Machine(None, {"A": am.State(remove="B"), "B": am.State(remove="A")})
    mach.add1("A")
    done: list[bool] = []

    def mutate() -> None:
        for _ in range(400):
            mach.set(["B"])
            mach.set(["A"])
        done.append(True)

    def read() -> None:
        while len(done) < 2:
            time = mach.time(["A", "B"])
            assert [tick % 2 for tick in time] in ([1, 0], [0, 1])
            assert len(mach.active_states()) == 1
            assert str(mach).count(":") == 1

    in_threads(mutate, mutate, read, read)
