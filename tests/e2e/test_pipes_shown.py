"""Pipes, from a program to the reader."""

from __future__ import annotations

import machine as am
from am_dbg.projection.reader import project_reader
from am_dbg.projection.steps import moment_of
from am_dbg.projection.subscriptions import PipeRow, subscriptions_at
from am_dbg.query import ALL, Visible
from am_dbg.query.cursor import Cursor
from am_dbg.store import Store
from machine import pipes
from tests.wire.tracing import FakeSender, StreamRecorder


def shown(caught: FakeSender) -> Store:
    """The store of a debugger with the traced machines."""
    recorder = StreamRecorder()
    recorder.begin()
    recorder.record(caught.events)
    recorder.writer.flush()
    store = Store()
    stream = store.open_stream("test", live=False)
    for message in recorder.messages:
        store.feed(stream, message)
    return store


def machines(caught: FakeSender) -> tuple[am.Machine, am.Machine]:
    """A child and its parent, traced and piped; the parent has a random id in its log lines."""
    parent = am.Machine(None, {"Ready": am.State(), "ErrChild": am.State()})
    child = am.Machine(None, {"Ready": am.State()}, id="child", parent=parent)
    for mach in (parent, child):
        mach.set_logger_empty(am.LogLevel.OPS)
        caught.trace(mach)
    pipes.bind_ready(child, parent)
    pipes.bind_err(child, parent, "ErrChild")
    return parent, child


def test_the_reader_shows_pipes_of_both_sides() -> None:
    """The reader of a recorded machine lists its pipes with state, direction and machine."""
    caught = FakeSender()
    parent, child = machines(caught)
    child.add1("Ready")

    store = shown(caught)

    of_child, of_parent = store.find("child"), store.find(parent.id)
    assert of_child is not None
    assert of_parent is not None
    assert subscriptions_at(of_child, 1).pipes == (
        PipeRow("out", "Ready", "add", parent.id, 1),
        PipeRow("out", "Ready", "remove", parent.id, 1),
        PipeRow("out", "Exception", "add", parent.id, 1),
    )
    view = project_reader(store, moment_of(Cursor(of_parent).at(1), Visible(of_parent, ALL)))
    assert view.pipes == (
        PipeRow("in", "Ready", "add", "child", 1),
        PipeRow("in", "Ready", "remove", "child", 1),
        PipeRow("in", "ErrChild", "add", "child", 1),
    )
    assert view.sources[0].link == "mach://child/1"


def test_pipes_end_with_the_machine_at_their_other_end() -> None:
    """After the log line of a disposal the reader shows no pipe to that machine."""
    caught = FakeSender()
    parent, child = machines(caught)
    child.add1("Ready")
    child.dispose_force()
    parent.remove1("Ready")

    track = shown(caught).find(parent.id)

    assert track is not None
    assert len(subscriptions_at(track, 1).pipes) == 3
    assert subscriptions_at(track, 2).pipes == ()
