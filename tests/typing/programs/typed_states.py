"""Names of states are attributes: an editor completes them, and a misspelled one is refused."""

from typing import reveal_type

import machine as am
from machine.states import BasicStatesDef, connected_groups


class FileStates(BasicStatesDef):
    Processing: str = am.state(remove="Processed")
    Processed: str = am.state(remove=Processing)
    Idle: str
    Phase = am.exclusive(Processing, Processed, "Idle")
    Gone: str = am.state(remove=Phase, timeout=5, on_timeout=Processed)


class FileGroups(am.GroupsBase):
    Work: list[str]


def takes(*names: str) -> None:
    """Stands for any call that takes names of states."""


ss = am.new_states(FileStates)
reveal_type(ss)  # reveals: FileStates
reveal_type(ss.Processing)  # reveals: str
reveal_type(ss.Idle)  # reveals: str
reveal_type(ss.Start)  # reveals: str
reveal_type(ss.Exception)  # reveals: str
reveal_type(FileStates.Processed)  # reveals: str
reveal_type(FileStates.Phase)  # reveals: tuple[str, ...]
reveal_type(FileStates.names())  # reveals: list[str]
reveal_type(FileStates.struct())  # reveals: dict[str, State]
takes(ss.Procesing)  # refused: attr-defined
takes(FileStates.Procesed)  # refused: attr-defined

groups = am.new_state_groups(FileGroups(Work=[ss.Processing, ss.Processed]))
reveal_type(groups.Work)  # reveals: list[str]
reveal_type(connected_groups.Connected)  # reveals: list[str]
takes(*groups.Wrok)  # refused: attr-defined

am.State(require=["Start"], add="Ready", after=("Start",), auto=True)
am.State(requires=["Start"])  # refused: call-arg
am.state(require=5)  # refused: arg-type
am.State(timeout="5", on_timeout="Failed")  # refused: arg-type
am.exclusive(["Start"])  # refused: arg-type
am.Machine(None, FileStates, initial=5)  # refused: arg-type
reveal_type(am.State.of({"auto": True}))  # reveals: State
reveal_type(am.struct_to_dict(FileStates, groups=groups))  # reveals: dict[str, object]
reveal_type(am.struct_from_dict({"states": {}}))  # reveals: dict[str, State]
reveal_type(am.groups_from_dict({"states": {}}))  # reveals: dict[str, list[str]]
reveal_type(am.struct_merge(FileStates.struct(), {"More": am.State()}))  # reveals: dict[str, State]
