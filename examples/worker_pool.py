"""A supervisor with twenty workers that add up sheets of orders.

Sheets come in bursts, and the backlog is short. Some sheets are broken, some take too long,
the store is not always available, and small workers refuse large sheets. A failed job is tried
up to three times. One seed makes everything random, and an agenda counts the time, so every run
makes the same transitions. With `--pace 0` the program does not wait between them.

    AM_DBG_ADDR=1 python examples/worker_pool.py                 # while am-dbg runs
    AM_DBG_FILE=run.msgpack.br python examples/worker_pool.py    # then: am-dbg -i run.msgpack.br
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import amtracer
import machine as am

WORKERS = 20
SMALL_WORKERS = 5
BACKLOG_MAX = 8
TRIES_MAX = 3
STRIKES_MAX = 3
SMALL_SHEET_ROWS = 30
DEADLINE_S = 3.0
HEALTH_EVERY_S = 4.0

LINK = ["Disconnected", "Connecting", "Connected"]
PHASES = ["Fetching", "Checking", "Saving"]

WORKER = {
    "Start": am.State(),
    "Disconnected": am.State(auto=True, remove=LINK),
    "Connecting": am.State(require=["Start"], remove=LINK),
    "Connected": am.State(require=["Start"], remove=LINK),
    "Ready": am.State(auto=True, require=["Start", "Connected"]),
    "Idle": am.State(auto=True, require=["Ready"]),
    "Resting": am.State(remove=["Ready", "Idle"]),
    "JobAssigned": am.State(
        require=["Ready"], add=["Fetching"], remove=["Idle", "JobDone", "JobFailed"]
    ),
    "Fetching": am.State(require=["JobAssigned"], remove=PHASES),
    "Checking": am.State(require=["JobAssigned"], remove=PHASES),
    "Saving": am.State(require=["JobAssigned"], remove=PHASES),
    "JobDone": am.State(require=["Ready"], remove=["JobAssigned", "JobFailed"]),
    "JobFailed": am.State(remove=["JobAssigned", "JobDone"]),
    "Healthcheck": am.State(multi=True),
    "Exception": am.State(multi=True),
    "ErrNetwork": am.State(require=["Exception"]),
    "ErrJobTimeout": am.State(require=["Exception"]),
}

POOL = {
    "Start": am.State(add=["Accepting"]),
    "Accepting": am.State(require=["Start"]),
    "JobQueued": am.State(multi=True, require=["Accepting"]),
    "Quiet": am.State(auto=True, require=["Start"], remove=["JobsWaiting", "Dispatching"]),
    "JobsWaiting": am.State(require=["Start"], remove=["Quiet"]),
    "WorkersFree": am.State(require=["Start"]),
    "Dispatching": am.State(auto=True, require=["JobsWaiting", "WorkersFree"]),
    "WorkerFree": am.State(multi=True, require=["Start"]),
    "JobDone": am.State(multi=True, require=["Start"]),
    "JobFailed": am.State(multi=True, require=["Start"]),
    "JobRetried": am.State(multi=True, require=["Start"]),
    "JobDropped": am.State(multi=True, require=["Start"]),
    "Healthy": am.State(auto=True, require=["Start"]),
    "Degraded": am.State(require=["Start"], remove=["Healthy"]),
    "Draining": am.State(require=["Start"], remove=["Accepting", "Dispatching"]),
    "Stopped": am.State(remove=["Start", "Draining"]),
}


class Agenda:
    """Calls in the order of their times. Time passes only between two calls; `pace` scales it."""

    def __init__(self, pace: float) -> None:
        self.now_s = 0.0
        self._pace = pace
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def after(self, delay_s: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now_s + delay_s, next(self._numbers), call))

    def run(self) -> None:
        """Make all calls, in order."""
        while self._due:
            due_s, _, call = heapq.heappop(self._due)
            if self._pace:
                time.sleep((due_s - self.now_s) * self._pace)
            self.now_s = due_s
            call()


@dataclass
class Job:
    """A sheet to add up; `rows` are lines such as "3 bolts 1.20"."""

    id: str
    rows: list[str]
    seconds: float
    tries: int = 0

    def total(self) -> float:
        """The sum of the sheet; a broken line raises."""
        return sum(line_total(row) for row in self.rows)


def line_total(row: str) -> float:
    count, _, price = row.split()
    return int(count) * float(price)


def make_jobs(count: int, rng: random.Random) -> list[Job]:
    """Jobs; one sheet in fourteen is broken, one in nine takes long."""
    jobs = []
    for number in range(1, count + 1):
        rows = [
            f"{rng.randint(1, 9)} {rng.choice(['bolts', 'nuts', 'pins'])} {rng.random():.2f}"
            for _ in range(rng.randint(5, 60))
        ]
        if rng.randrange(14) == 0:
            rows[rng.randrange(len(rows))] = "2 washers n/a"
        long = rng.randrange(9) == 0
        jobs.append(Job(f"sheet-{number:03}", rows, rng.uniform(4, 7) if long else rng.random()))
    return jobs


class Worker(am.ExceptionHandler):
    """Handlers of one worker."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool, self.agenda, self.rng = pool, pool.agenda, pool.rng
        self.small = number > WORKERS - SMALL_WORKERS
        self.job: Job | None = None
        self.strikes = 0
        size = "small" if self.small else "large"
        self.mach = am.Machine(
            None, WORKER, id=f"worker-{number:02}", parent=pool.mach, tags=["worker", size]
        )
        log_quietly(self.mach)
        self.mach.bind_handlers(self)

    def later(self, state: str, delay_s: float, call: Callable[[], object]) -> None:
        """Make the call after a delay, unless the state has ended by then."""
        ctx = self.mach.new_state_ctx(state)
        self.agenda.after(delay_s, lambda: ctx.done or call())

    def StartState(self, e: am.Event) -> None:
        self.mach.add1("Connecting")
        self.later("Start", self.rng.uniform(0, HEALTH_EVERY_S), self.check_health)

    def check_health(self) -> None:
        self.mach.add1("Healthcheck")
        self.later("Start", HEALTH_EVERY_S, self.check_health)

    def HealthcheckState(self, e: am.Event) -> None:
        self.mach.remove1("Healthcheck")

    def ConnectingState(self, e: am.Event) -> None:
        delay_s = self.rng.uniform(0.1, 0.9)
        self.later("Connecting", delay_s, lambda: self.mach.add1("Connected"))

    def IdleState(self, e: am.Event) -> None:
        args = {"worker": self.mach.id, "who": self}
        self.pool.mach.ev_add(e, ["WorkerFree", "WorkersFree"], args)

    def JobAssignedEnter(self, e: am.Event) -> bool:
        """Deny a large sheet to a small worker."""
        return not self.small or len(e.args["sheet"].rows) <= SMALL_SHEET_ROWS

    def JobAssignedState(self, e: am.Event) -> None:
        self.job = e.args["sheet"]
        self.later("JobAssigned", DEADLINE_S, self.give_up)

    def give_up(self) -> None:
        assert self.job is not None
        late = TimeoutError(f"{self.job.id} is not done after {DEADLINE_S:g} s")
        self.mach.add_err_state("ErrJobTimeout", late, {"job": self.job.id})

    def FetchingState(self, e: am.Event) -> None:
        assert self.job is not None
        self.later("Fetching", self.job.seconds, lambda: self.mach.add1("Checking"))

    def CheckingState(self, e: am.Event) -> None:
        """Add the sheet up; a broken sheet raises, which becomes the Exception state."""
        assert self.job is not None
        total = self.job.total()
        self.mach.log("%s comes to %.2f", self.job.id, total)
        self.mach.add1("Saving", {"job": self.job.id, "total": f"{total:.2f}"})

    def SavingState(self, e: am.Event) -> None:
        self.later("Saving", self.rng.uniform(0.1, 0.4), self.save)

    def save(self) -> None:
        """Save the result; the store fails one time in twelve."""
        assert self.job is not None
        args = {"job": self.job.id}
        try:
            if self.rng.randrange(12) == 0:
                raise ConnectionResetError("the store hung up")
        except ConnectionResetError as error:
            self.mach.add_err_state("ErrNetwork", error, args)
        else:
            self.mach.add1("JobDone", args)

    def JobDoneState(self, e: am.Event) -> None:
        self.strikes = 0
        self.report(e, "JobDone")

    def JobFailedState(self, e: am.Event) -> None:
        self.strikes += 1
        self.report(e, "JobFailed")
        if self.strikes >= STRIKES_MAX:
            self.mach.add1("Resting")

    def report(self, e: am.Event, state: str) -> None:
        """Return the job to the pool."""
        job, self.job = self.job, None
        assert job is not None
        self.pool.mach.ev_add1(e, state, {"job": job.id, "sheet": job})

    def RestingState(self, e: am.Event) -> None:
        self.strikes = 0
        self.later("Resting", 2.0, lambda: self.mach.remove1("Resting"))

    def ExceptionState(self, e: am.Event) -> None:
        """After any error the job has failed; a lost store is connected again."""
        super().ExceptionState(e)
        if self.job is not None:
            self.mach.ev_add1(e, "JobFailed", {"job": self.job.id, "why": e.args["err"]})
        if self.mach.is1("ErrNetwork"):
            self.mach.add1("Connecting")
        self.mach.remove1("Exception")


@dataclass
class Tally:
    """Counts of the jobs, by how they ended."""

    done: int = 0
    failed: int = 0
    dropped: int = 0
    refused: int = 0
    recent: list[bool] = field(default_factory=list)

    def note(self, good: bool) -> float:
        """Count one end; return the share of failures among the last ten."""
        self.done += good
        self.failed += not good
        self.recent = [*self.recent[-9:], good]
        return 1 - sum(self.recent) / len(self.recent)


class Pool(am.ExceptionHandler):
    """Handlers of the supervisor."""

    def __init__(self, jobs: list[Job], agenda: Agenda, rng: random.Random) -> None:
        self.jobs, self.agenda, self.rng = jobs, agenda, rng
        self.open = len(jobs)
        self.waiting: list[Job] = []
        self.free: list[Worker] = []
        self.tally = Tally()
        self.mach = am.Machine(None, POOL, id="pool", tags=["supervisor"])
        log_quietly(self.mach)
        self.mach.bind_handlers(self)
        amtracer.attach(self.mach, args_filter=shown_args)
        self.workers = [Worker(self, number) for number in range(1, WORKERS + 1)]

    def StartState(self, e: am.Event) -> None:
        for worker in self.workers:
            worker.mach.ev_add1(e, "Start")
        for number, job in enumerate(self.jobs):
            burst, place = divmod(number, 15)
            self.agenda.after(1.5 + burst * 3 + place * 0.02, partial(self.offer, job))

    def offer(self, job: Job) -> None:
        """Queue the job; if the backlog is full, try again later."""
        args = {"job": job.id, "rows": len(job.rows), "sheet": job}
        if self.mach.add(["JobQueued", "JobsWaiting"], args) is am.Result.CANCELED:
            self.tally.refused += 1
            self.agenda.after(0.8, lambda: self.offer(job))

    def JobQueuedEnter(self, e: am.Event) -> bool:
        return len(self.waiting) < BACKLOG_MAX

    def JobQueuedState(self, e: am.Event) -> None:
        self.waiting.append(e.args["sheet"])

    def JobRetriedState(self, e: am.Event) -> None:
        self.waiting.append(e.args["sheet"])

    def WorkerFreeState(self, e: am.Event) -> None:
        self.free.append(e.args["who"])

    def DispatchingState(self, e: am.Event) -> None:
        """Assign jobs a moment later, when the workers have finished their reports."""
        ctx = self.mach.new_state_ctx("Dispatching")
        self.agenda.after(0.2, partial(self.dispatch, e, ctx))

    def dispatch(self, e: am.Event, ctx: am.Context) -> None:
        if ctx.done:
            return
        for job in list(self.waiting):
            if any(self.assign(e, worker, job) for worker in list(self.free)):
                self.waiting.remove(job)
        empty = {"JobsWaiting": self.waiting, "WorkersFree": self.free}
        self.mach.remove(["Dispatching", *(name for name, what in empty.items() if not what)])

    def assign(self, e: am.Event, worker: Worker, job: Job) -> bool:
        """Offer a job to a worker, which may deny it."""
        args = {"job": job.id, "rows": len(job.rows), "tries": job.tries, "sheet": job}
        if worker.mach.is1("Idle"):
            if worker.mach.ev_add1(e, "JobAssigned", args) is am.Result.CANCELED:
                return False
            self.free.remove(worker)
            return True
        self.free.remove(worker)
        return False

    def JobDoneState(self, e: am.Event) -> None:
        self.judge(self.tally.note(good=True))
        self.close()

    def JobFailedState(self, e: am.Event) -> None:
        job = e.args["sheet"]
        job.tries += 1
        self.judge(self.tally.note(good=False))
        if job.tries < TRIES_MAX:
            job.seconds /= 2
            again = {"job": job.id, "tries": job.tries, "sheet": job}
            states = ["JobRetried", "JobsWaiting"]
            self.agenda.after(job.tries * 0.7, lambda: self.mach.add(states, again))
        else:
            self.mach.add1("JobDropped", {"job": job.id})

    def judge(self, failures: float) -> None:
        """The pool is degraded while three of the last ten jobs failed."""
        degraded = self.mach.is1("Degraded")
        if failures >= 0.3 and not degraded:
            self.mach.add1("Degraded")
        elif failures < 0.3 and degraded:
            self.mach.remove1("Degraded")

    def JobDroppedState(self, e: am.Event) -> None:
        self.tally.dropped += 1
        self.close()

    def close(self) -> None:
        """Count one job as ended; after the last one the pool drains."""
        self.open -= 1
        if not self.open:
            self.mach.add1("Draining")

    def DrainingState(self, e: am.Event) -> None:
        for worker in self.workers:
            worker.mach.ev_remove1(e, "Start")
        self.mach.add1("Stopped")


def shown_args(mach_id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments that a debugger gets: no sheets, no workers."""
    return {key: value for key, value in args.items() if key not in ("sheet", "who")}


def log_quietly(mach: am.Machine) -> None:
    """Send log lines to the debugger and not to the terminal."""
    mach.set_log_id(False)
    mach.set_logger_empty(am.LogLevel.OPS)
    mach.set_log_args(am.new_args_mapper(["job", "rows", "tries", "total", "why", "worker"], 40))


def run(jobs: int = 150, pace: float = 0.0, seed: int = 7) -> Tally:
    """Run a pool until all jobs have ended."""
    rng = random.Random(seed)
    pool = Pool(make_jobs(jobs, rng), Agenda(pace), rng)
    pool.mach.add1("Start")
    pool.agenda.run()
    assert pool.mach.is1("Stopped")
    return pool.tally


def main() -> None:
    parser = argparse.ArgumentParser(description="A supervisor with twenty workers")
    parser.add_argument("--jobs", type=int, default=150)
    parser.add_argument("--pace", type=float, default=1.0, help="0 does not wait")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    tally = run(asked.jobs, asked.pace, asked.seed)
    print(f"{tally.done} done, {tally.dropped} given up, {tally.failed} failures on the way")


if __name__ == "__main__":
    main()
