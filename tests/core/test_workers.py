"""Worker threads: the work that follows deadlines, a limited number at a time."""

from __future__ import annotations

import threading

import pytest

from machine._waiting import workers as module
from machine._waiting.workers import WORKERS_MAX, Workers


class Held:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.ended = threading.Semaphore(0)

    def __call__(self) -> None:
        self.begun.release()
        assert self.go.wait(20)
        self.ended.release()


def test_work_that_lasts_holds_nothing_else_up() -> None:
    """Work is done in a thread of its own while the limit allows it."""
    workers, held, done = Workers(2), Held(), threading.Event()
    workers.run(held)
    assert held.begun.acquire(timeout=20)

    workers.run(done.set)
    assert done.wait(20)
    held.go.set()
    assert held.ended.acquire(timeout=20)


def test_past_the_limit_work_waits() -> None:
    """As many threads as the limit allows work at once; the rest follows in order."""
    workers, held, order = Workers(2), Held(), []
    last = threading.Event()
    for _ in range(2):
        workers.run(held)
    for _ in range(2):
        assert held.begun.acquire(timeout=20)
    workers.run(lambda: order.append(1))
    workers.run(last.set)
    assert not last.is_set()
    assert workers._threads == 2

    held.go.set()
    assert last.wait(20)
    assert order == [1]
    assert module.workers._limit == WORKERS_MAX


def test_work_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An error of one piece of work does not reach the next."""
    workers, done = Workers(1), threading.Event()
    workers.run(lambda: 1 / 0)
    workers.run(done.set)

    assert done.wait(20)
    assert "division by zero" in caplog.text


def test_threads_end_when_nothing_is_left() -> None:
    """A thread looks at the queue once more before it ends, so no work is left behind."""
    workers, done = Workers(1), threading.Semaphore(0)
    for _ in range(200):
        workers.run(done.release)
        assert done.acquire(timeout=20)


def test_work_that_comes_when_a_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that finds all threads counted, although one is about to end, starts another."""
    workers = Workers(1)
    started: list[None] = []
    monkeypatch.setattr(workers, "_start", lambda: started.append(None))
    workers._threads = 1

    class Late(list[object]):
        """A queue that looks empty, and has work right afterwards."""

        looks = 0

        def __bool__(self) -> bool:
            self.looks += 1
            return self.looks > 1

    monkeypatch.setattr(workers, "_queue", Late())
    workers._serve()

    assert (started, workers._threads) == ([None], 0)


def test_another_thread_takes_the_last_one() -> None:
    """A thread that finds the queue empty after all goes on."""

    class Empty(list[object]):
        """A queue that looks full once."""

        looks = 0

        def __bool__(self) -> bool:
            self.looks += 1
            return self.looks == 1

        def popleft(self) -> object:
            raise IndexError

    workers = Workers(1)
    workers._threads = 1
    workers._queue = Empty()  # type: ignore[assignment]
    workers._serve()

    assert workers._threads == 0


def test_without_a_thread_work_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no thread can be started, work waits for the next that can."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers, done = Workers(1), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        workers.run(done.set)
    assert workers._threads == 0
    assert not done.is_set()

    last = threading.Event()
    workers.run(last.set)
    assert done.wait(20)
    assert last.wait(20)


def test_a_forked_child_starts_its_own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fork no thread is there; one is started if work was waiting."""
    workers, started = Workers(1), []
    monkeypatch.setattr(workers, "_start", lambda: started.append(None))
    workers._threads = 1
    workers.restart()
    assert (workers._threads, started) == (0, [])

    workers._queue.append(lambda: None)
    workers.restart()
    assert started == [None]
