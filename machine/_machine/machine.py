"""The `Machine` class: its construction, with all methods collected from its parts.

The parts build on each other: log, engine, reading, mutating, binding, restructuring,
lifecycle, subscribing, expiring, evaluating.
Fields with a default live on the classes until they are changed, so a machine of a known
schema is made in a few microseconds and takes little memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar
from weakref import ref

from machine._engine.core import Core
from machine._enums import LogLevel
from machine._given import Names, check_callable, checked_count, checked_flag
from machine._logging.log import ArgsMapper
from machine._machine.arg_log import new_args_mapper
from machine._machine.evaluating import Evaluating
from machine._machine.options import Opts, Settings, check_options, checked_tags, opts_with_debug
from machine._machine.resolver import Resolver
from machine._resolution.automaton import NODES_MAX, automaton_of
from machine._schema.sharing import schema_of
from machine._transition.tracing import Tracer
from machine._waiting.context import Context
from machine._waiting.latch import call_all

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Unpack

    from machine._machine.options import CommonSettings
    from machine._schema.sharing import Definition

F = TypeVar("F", bound="Callable[[Machine], object]")

_listeners: list[Callable[[Machine], object]] = []

COMMON_LOG_ARGS = ("name", "id", "port", "addr")
COMMON_LOG_ARGS_CHARS = 20


class Machine(Evaluating):
    """A set of named states, any number of them active at once.

    States change only by mutations (`add`, `remove`, `set`), which are queued and carried
    out one after another; relations of the schema and handlers decide the outcome of each.
    Every call may be made from any thread and from handlers.

    `ctx`: its end disposes the machine. `struct`: the schema, states by name or a states
    class; None is a machine with only `Exception`. `cache`: how many configurations the
    machines of this schema remember, 0 for none. `strict`: refuse relations to undefined
    states. `initial`: the states to begin with, in place of those that the schema marks as
    such; `()` for none. `handlers`: an object to bind, before the machine begins. `executor`:
    the event loop on which all handlers run (`_engine.executor`). `handler_runner`: "thread"
    for a thread of their own (`_calling.thread`). `watchdog`: report where a late handler is
    stuck (`_calling.watchdog`). `resolver`: decides in place of the relations
    (`_machine.resolver`). The other options are the attributes and setters of the same names.
    """

    def __init__(
        self,
        ctx: Context | None = None,
        struct: Definition | None = None,
        *,
        id: str = "",
        cache: int = NODES_MAX,
        strict: bool = False,
        initial: Names | None = None,
        **options: Unpack[Settings],
    ) -> None:
        if strict is not False:
            self._strict = checked_flag(strict, "strict")
        if cache is not NODES_MAX:
            checked_count(cache, "cache")
        schema = schema_of(struct, strict=strict)
        automaton = automaton_of(schema, cache)
        Core.__init__(self, automaton.node(()))  # `super()` would look at every part
        if id:
            self._id = id
        if ctx is not None:
            self._ctx = ctx = _checked_ctx(ctx).child()
        if options:
            check_options(options)
            self._configure(**options)
        if ctx is not None:
            self._end_with(ctx)
        if schema.timed:
            self._keep_deadlines()
        if _listeners:
            call_all([(fn, self) for fn in _listeners])
        if initial is not None or schema.initial:
            self._begin(schema.initial if initial is None else initial)

    def _configure(
        self,
        *,
        handler_timeout: float | None = 1.0,
        panic_to_exception: bool = True,
        log_stack_trace: bool = True,
        log_id: bool = True,
        log_level: LogLevel | int = LogLevel.NOTHING,
        tracers: Iterable[Tracer] = (),
        log_args: ArgsMapper | None = None,
        parent: Machine | None = None,
        parent_id: str = "",
        tags: Sequence[str] = (),
        queue_limit: int = 1000,
        detect_eval: bool = False,
        executor: AbstractEventLoop | None = None,
        handler_runner: Literal["inline", "thread"] = "inline",
        watchdog: bool = False,
        resolver: Resolver | None = None,
        handlers: object | None = None,
    ) -> None:
        if resolver is not None:
            self._use_resolver(resolver)
        self.handler_timeout = handler_timeout
        self.panic_to_exception = panic_to_exception
        self.log_stack_trace = log_stack_trace
        self.queue_limit = queue_limit
        self._log_id = log_id
        self._log_args = log_args
        self._detect_eval = detect_eval
        self._tags = checked_tags(tuple(tags))
        self._parent_id = parent_id
        self._choose_threads(executor, handler_runner, watchdog)
        if log_level:
            self.set_log_level(log_level)
        if parent is not None:
            if not isinstance(parent, Machine):
                raise TypeError(f"parent is a machine, not {parent!r:.60}")
            self._parent_id = parent.id
            self._parents = (ref(parent), *parent._parents)
            parent._announce_child(self)
        self._init_tracers(tuple(tracers))
        self._log_cycle()
        if handlers is not None:
            self.bind_handlers(handlers)

    def _choose_threads(
        self,
        executor: AbstractEventLoop | None,
        handler_runner: Literal["inline", "thread"],
        watchdog: bool,
    ) -> None:
        """Choose where the queue is drained, where handlers run, and what watches them.

        What only few machines need is loaded when one needs it.
        """
        if executor is not None:
            from machine._engine.executor import Executor

            self._executor = Executor(self, executor)
            self._set_slow()
        if handler_runner == "thread":
            from machine._calling.thread import HandlerThread

            self._handler_thread = runner = HandlerThread()
            self.handle_dispose(lambda _id, _ctx: runner.stop())
        if watchdog:
            from machine._calling.watchdog import watch

            watch(self)

    def _announce_child(self, child: Machine) -> None:
        """Report a machine that was made with this parent to the inheritable tracers."""
        hooks = self._hooks
        if hooks is None:
            return
        for tracer in hooks.tracers:
            if hooks.fire_one(tracer.inheritable):
                hooks.fire_one(tracer.new_submachine, self, child)

    def _init_tracers(self, tracers: tuple[Tracer, ...]) -> None:
        for tracer in tracers:
            self.bind_tracer(tracer)
        hooks = self._hooks
        if hooks is None:
            return
        for tracer in tracers:  # not those that were bound meanwhile
            ctx = hooks.fire_one(tracer.machine_init, self)
            if ctx is not None:
                self._ctx = ctx
                self._end_with(ctx)


def on_machine(fn: F) -> F:
    """Call `fn(machine)` at the end of the construction of every machine made from now on.

    Only its initial states are added later. It runs in the thread that makes the machine; what
    it raises is logged. A function that is given twice is called once. Also a decorator.
    """
    check_callable(fn, "what on_machine takes")
    if fn not in _listeners:
        _listeners.append(fn)
    return fn


def _checked_ctx(ctx: object) -> Context:
    if isinstance(ctx, Context):
        return ctx
    text = f"the first argument of Machine is a Context or None, not {ctx!r:.60}"
    raise TypeError(f"{text}; the schema is the second one: Machine(None, schema)")


def new_common(
    ctx: Context | None,
    id: str,
    struct: Definition,
    names: Names,
    handlers: object | None = None,
    parent: Machine | None = None,
    initial: Names | None = None,
    **options: Unpack[CommonSettings],
) -> Machine:
    """A machine with the usual set-up: id, verified order, handlers, log of common args.

    Its initial states are added last.
    AM_DEBUG turns `panic_to_exception` off and gives handlers 10 minutes; else
    AM_TEST_RUNNER gives them 1 s. Options that are given win over these.
    """
    usual: Opts = {}
    if os.environ.get("AM_DEBUG"):
        usual = opts_with_debug()
    elif os.environ.get("AM_TEST_RUNNER"):
        usual = {"handler_timeout": 1.0}
    usual["log_args"] = new_args_mapper(COMMON_LOG_ARGS, COMMON_LOG_ARGS_CHARS)
    opts: Opts = {**usual, **options, "id": id, "parent": parent, "initial": ()}
    mach = Machine(ctx, struct, **opts)
    mach.verify_states(names)
    if handlers is not None:
        mach.bind_handlers(handlers)
    mach._begin(mach._schema.initial if initial is None else initial)
    return mach
