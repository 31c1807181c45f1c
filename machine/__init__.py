"""A clock-based, relational, multi-state machine library.

`import machine as am`. Errors are in `machine.errors`, ready-made states in
`machine.states`.
"""

from machine import errors
from machine._asking.asking import Asking
from machine._asking.outcome import Outcome, TransitionFacts
from machine._calling.exception_handler import ExceptionHandler
from machine._calling.tasks import StateTask
from machine._checking.check import check
from machine._checking.finding import Finding, FindingKind
from machine._clock import Clock, Tick, Time, is_active_tick, is_time_after
from machine._enums import (
    LogLevel,
    MutationType,
    Relation,
    Result,
    StepType,
    log_level_text,
    step_type_text,
)
from machine._given import A, Names
from machine._handlers.names import list_handlers
from machine._handlers.on import handlers_of, on
from machine._logging.bridge import log_to
from machine._logging.level_from_env import log_level_from_env
from machine._logging.log import LogEntry
from machine._machine.api import MachineApi
from machine._machine.arg_log import new_args_mapper, new_typed_args_mapper
from machine._machine.changes import Change, Changes
from machine._machine.machine import Machine, new_common, on_machine
from machine._machine.options import Opts, opts_with_debug, opts_with_tracers
from machine._machine.resolver import RelationsResolver, Resolver
from machine._machine.serialized import Serialized
from machine._reasons.reason import Reason, ReasonKind
from machine._reasons.why_not import WhyNot
from machine._resolution.automaton import NODES_MAX
from machine._resolution.mutation import Mutation, MutSource
from machine._resolution.step import Step
from machine._schema.plain import groups_from_dict, struct_from_dict, struct_to_dict
from machine._schema.state import ANY, EXCEPTION, S, State, Struct
from machine._schema.structs import (
    a_merge,
    clone_states,
    diff_states,
    s_add,
    state_add,
    state_set,
    states_equal,
    struct_exclusive,
    struct_merge,
)
from machine._schema.typed import (
    GroupsBase,
    StatesBase,
    exclusive,
    new_state_groups,
    new_states,
    state,
)
from machine._transition.args import (
    AT,
    Panic,
    args_key,
    args_to_log_map,
    parse_args,
    pass_,
    pass_merge,
)
from machine._transition.event import Event, EventRef
from machine._transition.tracing import Tracer
from machine._transition.transition import Transition
from machine._waiting.context import Context, ContextCanceled, ContextDeadline, background
from machine._waiting.handle import WaitHandle
from machine._waiting.open_work import OpenWork
from machine._waiting.select import every, every_async, first, first_async
from machine._waiting.state_contexts import CtxValue

__all__ = [
    "ANY",
    "AT",
    "EXCEPTION",
    "NODES_MAX",
    "A",
    "Asking",
    "Change",
    "Changes",
    "Clock",
    "Context",
    "ContextCanceled",
    "ContextDeadline",
    "CtxValue",
    "Event",
    "EventRef",
    "ExceptionHandler",
    "Finding",
    "FindingKind",
    "GroupsBase",
    "LogEntry",
    "LogLevel",
    "Machine",
    "MachineApi",
    "MutSource",
    "Mutation",
    "MutationType",
    "Names",
    "OpenWork",
    "Opts",
    "Outcome",
    "Panic",
    "Reason",
    "ReasonKind",
    "Relation",
    "RelationsResolver",
    "Resolver",
    "Result",
    "S",
    "Serialized",
    "State",
    "StateTask",
    "StatesBase",
    "Step",
    "StepType",
    "Struct",
    "Tick",
    "Time",
    "Tracer",
    "Transition",
    "TransitionFacts",
    "WaitHandle",
    "WhyNot",
    "a_merge",
    "args_key",
    "args_to_log_map",
    "background",
    "check",
    "clone_states",
    "diff_states",
    "errors",
    "every",
    "every_async",
    "exclusive",
    "first",
    "first_async",
    "groups_from_dict",
    "handlers_of",
    "is_active_tick",
    "is_time_after",
    "list_handlers",
    "log_level_from_env",
    "log_level_text",
    "log_to",
    "new_args_mapper",
    "new_common",
    "new_state_groups",
    "new_states",
    "new_typed_args_mapper",
    "on",
    "on_machine",
    "opts_with_debug",
    "opts_with_tracers",
    "parse_args",
    "pass_",
    "pass_merge",
    "s_add",
    "state",
    "state_add",
    "state_set",
    "states_equal",
    "step_type_text",
    "struct_exclusive",
    "struct_from_dict",
    "struct_merge",
    "struct_to_dict",
]

__version__ = "0.1.0"
