"""The index of waiters against a model that asks every waiter after every transition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import machine as am
from machine._waiting.context import Context

NAMES = ("A", "B", "M", "X")
STRUCT = {
    "A": am.State(),
    "B": am.State(add="A"),
    "M": am.State(multi=True),
    "X": am.State(remove=("A", "M")),
}

names = st.lists(st.sampled_from(NAMES), max_size=3)
one_name = st.sampled_from(NAMES)
values = st.integers(0, 1)

subscribe = st.one_of(
    st.tuples(st.just("when"), names),
    st.tuples(st.just("when_not"), names),
    st.tuples(st.just("when_time"), st.lists(st.tuples(one_name, st.integers(0, 6)), max_size=3)),
    st.tuples(st.just("when_ticks"), one_name, st.integers(0, 3)),
    st.tuples(st.just("when_next_active"), one_name),
    st.tuples(st.just("when_args"), one_name, values),
)
operation = st.one_of(
    st.tuples(st.just("wait"), subscribe, st.booleans()),
    st.tuples(st.sampled_from(("add", "remove", "set")), names, values),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("drop"), st.integers(0, 30)),
    st.tuples(st.just("end context")),
    st.tuples(st.just("reorder"), st.permutations(NAMES)),
)


class Model:
    """One waiter as the specification describes it, without any index."""

    def __init__(self, mach: am.Machine, what: tuple[Any, ...]) -> None:
        self.kind, self.what = what[0], what[1:]
        self.reached: set[str] = set()
        self.wanted: dict[str, int] = {}
        tick = mach.tick(self.what[0]) if self.kind in ("when_ticks", "when_next_active") else 0
        if self.kind == "when_time":
            for name, time in self.what[0]:
                self.wanted[name] = max(time, self.wanted.get(name, 0))
        elif self.kind == "when_ticks":
            self.wanted = {self.what[0]: tick + self.what[1]}
        elif self.kind == "when_next_active":
            self.wanted = {self.what[0]: tick + 1 + tick % 2}
        self.reason: str | None = None
        self.limited = False

    def look(self, clock: dict[str, int]) -> bool:
        """Whether this clock satisfies it."""
        if self.kind == "when":
            return all(clock[name] % 2 for name in self.what[0])
        if self.kind == "when_not":
            return not any(clock[name] % 2 for name in self.what[0])
        if self.kind == "when_args":
            return False
        return all(clock[name] >= time for name, time in self.wanted.items())

    def subscribe(self, mach: am.Machine, ctx: Context | None) -> am.WaitHandle:
        """The real waiter."""
        if self.kind == "when_time":
            pairs = self.what[0]
            return mach.when_time([name for name, _ in pairs], [time for _, time in pairs], ctx)
        if self.kind == "when_args":
            return mach.when_args(self.what[0], {"n": self.what[1]}, ctx)
        return getattr(mach, self.kind)(*self.what, ctx=ctx)


class Watch(am.Tracer):
    """Lets the models look after each transition."""

    def __init__(self, models: list[Model]) -> None:
        self.models = models

    def transition_end(self, tx: am.Transition) -> None:
        clock = tx.clock_after()
        for model in self.models:
            entered = tx.accepted and model.kind == "when_args" and model.what[0] in tx.enters
            match = entered and tx.args().get("n") == model.what[1]
            moved = tx.time_before != tx.time_after and model.look(clock)
            if model.reason is None and (match or moved):
                model.reason = "match"


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.lists(operation, max_size=40))
def test_the_index_releases_whom_a_naive_model_releases(operations: list[tuple[Any, ...]]) -> None:
    """Every waiter ends when, and as, its description says; nothing stays in the index."""
    mach = am.Machine(None, STRUCT)
    models: list[Model] = []
    handles: dict[int, am.WaitHandle] = {}
    ctx = Context()
    mach.bind_tracer(Watch(models))
    for name, *rest in operations:
        if name == "wait":
            model = Model(mach, rest[0])
            model.limited = rest[1]
            if model.look(mach.clock()):
                model.reason = "match"
            handles[len(models)] = model.subscribe(mach, ctx if model.limited else None)
            models.append(model)
        elif name in ("add", "remove", "set"):
            getattr(mach, name)(rest[0], {"n": rest[1]})
        elif name == "cancel" and rest[0] in handles:
            handles[rest[0]].cancel()
            models[rest[0]].reason = models[rest[0]].reason or "canceled"
        elif name == "drop":
            handles.pop(rest[0], None)
        elif name == "end context":
            ctx.cancel()
            ctx = Context()
            for model in models:
                if model.limited:
                    model.reason = model.reason or "ctx"
        elif name == "reorder":
            mach.verify_states([*rest[0], am.EXCEPTION])
        reasons = {number: handle.reason for number, handle in handles.items()}
        assert reasons == {number: models[number].reason for number in handles}
        assert len(mach._subscriptions()) == sum(not handle for handle in handles.values())
    assert len(ctx._callbacks) == sum(
        models[number].limited and not handle for number, handle in handles.items()
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("when", "when_not", "when_time")), names)), names)
def test_waiters_of_one_transition_are_released_in_order(
    subscriptions: list[tuple[str, list[str]]], called: list[str]
) -> None:
    """`when` and `when_not` in the order in which they were made, then waiters for times."""
    mach = am.Machine(None, dict.fromkeys(NAMES, am.State()))
    mach.add(["A", "B"])
    released: list[int] = []
    handles: list[tuple[bool, int, am.WaitHandle]] = []
    for number, (kind, states) in enumerate(subscriptions):
        times = [mach.tick(name) + 1 for name in states]
        extra = (times,) if kind == "when_time" else ()
        handle = getattr(mach, kind)(states, *extra)
        if not handle:
            handle.add_done_callback(lambda _, number=number: released.append(number))
            handles.append((kind == "when_time", number, handle))
    mach.set(called)

    done = [(late, number) for late, number, handle in handles if handle]
    assert released == [number for _, number in sorted(done)]
