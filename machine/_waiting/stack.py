"""The stack of a thread: the functions of a drain are registered, and found again by frame."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Protocol, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_drains: dict[int, str] = {}
_walks: set[int] = set()
_jobs: set[int] = set()


class HandlerJob(Protocol):
    """A handler call that a separate thread makes for the drainer."""

    drainer: int

    @property
    def machine(self) -> Any: ...
    def is_awaited(self) -> bool: ...


def runs_in_drain(machine: str, *, walks: bool = False) -> Callable[[Function], Function]:
    """Register a function that runs only in a drain; `machine` is its variable for the machine.

    One that `walks` carries out a transition, and its variable for that is `tx`.
    """

    def register(function: Function) -> Function:
        _drains[id(function.__code__)] = machine
        if walks:
            _walks.add(id(function.__code__))
        return function

    return register


def runs_job(function: Function) -> Function:
    """Register the method with which a thread for handlers runs a job."""
    _jobs.add(id(function.__code__))
    return function


def walks(code: CodeType) -> bool:
    """Whether the function with this code carries out transitions."""
    return id(code) in _walks


def drained_by(frame: FrameType) -> Any:
    """The machine in whose drain this frame itself is; None if it is in none."""
    name = _drains.get(id(frame.f_code))
    if name is not None:
        return frame.f_locals[name]
    job = job_of(frame)
    return None if job is None else job.machine


def job_of(frame: FrameType) -> HandlerJob | None:
    """The job that this frame runs, if the drainer still waits for it."""
    if id(frame.f_code) not in _jobs:
        return None
    job: HandlerJob = frame.f_locals["self"]
    return job if job.is_awaited() else None


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and its callers; from a thread for handlers on into the drainer that waits."""
    while frame is not None:
        yield frame
        job = job_of(frame)
        frame = frame.f_back if job is None else sys._current_frames().get(job.drainer)
