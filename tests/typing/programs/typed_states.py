"""Names of states are attributes: an editor completes them, and a misspelled one is refused."""

from typing import reveal_type

import machine as am
from machine.states import BasicStatesDef, connected_groups


class FileStates(BasicStatesDef):
    Processing: str = am.state(remove="Processed")
    Processed: str = am.state(remove=Processing)
    Idle: str


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
reveal_type(am.struct_merge(FileStates.struct(), {"More": am.State()}))  # reveals: dict[str, State]
