"""The public names: listed here, so that every change is deliberate."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.house.conftest import Source

PUBLIC = {
    "machine": """
        A ANY AT Asking Change Changes Clock Context ContextCanceled ContextDeadline CtxValue
        EXCEPTION Event EventRef ExceptionHandler Finding FindingKind GroupsBase LogEntry LogLevel
        Machine MachineApi MutSource Mutation MutationType NODES_MAX Names OpenWork Opts Outcome
        Panic Reason ReasonKind Relation RelationsResolver Resolver Result S Serialized State
        StateTask StatesBase Step StepType Struct Tick Time Tracer Transition TransitionFacts
        WaitHandle WhyNot a_merge args_key args_to_log_map background check clone_states diff_states
        errors every every_async exclusive first first_async groups_from_dict handlers_of
        is_active_tick is_time_after list_handlers log_level_from_env log_level_text log_to
        new_args_mapper new_common new_state_groups new_states new_typed_args_mapper on on_machine
        opts_with_debug opts_with_tracers parse_args pass_ pass_merge s_add state state_add
        state_set states_equal step_type_text struct_exclusive struct_from_dict struct_merge
        struct_to_dict
    """,
    "machine.errors": """
        AmbiguousHandlerError CanceledError DeadlockError DisposedError EvalTimeoutError
        ExecutorClosedError HandlerNameError HandlerTimeoutError HandlersNotBoundError
        InvalidArgsError MachineError QueuedError
        RelationError StateMissingError StateNameError StateTimeoutError StateUnknownError
        TaskCanceledError TimeoutError_ near_names
    """,
    "machine.helpers": """
        FanOut MutRequest a_add1_async_block a_add1_block a_wait_for_all a_wait_for_any
        a_wait_for_err_all a_wait_for_err_any add1_async_block add1_block ask_add ask_add1
        ask_remove ask_remove1 fan_out_in group_when1 is_multi new_mut_request new_req_add
        new_req_add1 new_req_remove new_req_remove1 wait_for_all wait_for_any wait_for_err_all
        wait_for_err_any
    """,
    "machine.pipes": """
        Pipe add bind bind_all bind_any bind_connected bind_err bind_ready bind_start remove unbind
    """,
    "machine.states": """
        BasicStatesDef ConnectedGroupsDef ConnectedStatesDef ConnectingError
        DISPOSED_ARG_HANDLER DisposedGroupsDef DisposedHandlers DisposedStatesDef
        add_err_connecting basic_states basic_struct connected_groups connected_states
        connected_struct disposed_groups disposed_states disposed_struct
    """,
    "machine.testing": """
        Coverage ManualClock a_assert_becomes assert_active assert_becomes assert_inactive
        states_machine
    """,
    "amtracer": """
        ArgsFilter Redact attach attach_from_env close dbg_env pause record resume
    """,
    "amtracer.errors": """
        AddressError ChecksumError CutSessionError DamagedRecordError DamagedSessionError
        EmptySessionError
        ForeignPeerError ForeignSessionError FrameTooLargeError LimitError SessionAccessError
        SessionBusyError SessionError SessionTooLargeError SessionVersionError TokenError
        TracingError TrailingBytesError VersionError WireError
    """,
    "am_dbg": "",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_listed(name: str) -> None:
    """A public module has exactly the names that are listed here."""
    assert sorted(importlib.import_module(name).__all__) == PUBLIC[name].split()


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_imported(name: str) -> None:
    """All names of a public module's `__all__` exist."""
    module = importlib.import_module(name)

    assert [public for public in PUBLIC[name].split() if not hasattr(module, public)] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_docstrings(name: str) -> None:
    """Every public class and function has a docstring."""
    module = importlib.import_module(name)
    things = {public: getattr(module, public) for public in PUBLIC[name].split()}
    silent = [
        public
        for public, thing in things.items()
        if callable(thing) and thing.__module__.partition(".")[0] == name.partition(".")[0]
        if not (thing.__doc__ or "").strip()
    ]

    assert silent == []


def test_private_modules_of_machine_are_marked(sources: list[Source]) -> None:
    """A module of `machine` that is not listed here has a name that starts with `_`."""
    open_ones = {
        source.module
        for source in sources
        if source.module.startswith("machine.") and "._" not in source.module
    }

    assert {name for name in open_ones if name.count(".") == 1} <= set(PUBLIC)


def test_the_packages_are_marked_as_typed(root: Path) -> None:
    """Each package has the file `py.typed`, so that type checkers read its annotations."""
    packages = ("machine", "asyncmachine", "amtracer", "am_dbg")

    assert [name for name in packages if not (root / name / "py.typed").exists()] == []
