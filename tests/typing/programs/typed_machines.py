"""Machines: what they are made of, what calls take and give."""

from typing import reveal_type

import machine as am


class LightStates(am.StatesBase):
    On: str = am.state(remove="Off")
    Off: str = am.state(auto=True, remove=On)


mach = am.Machine(None, LightStates, id="light", handler_timeout=None, tags=["kitchen"])
am.Machine(None, am.new_states(LightStates))
am.Machine(struct={"On": am.State()})
am.Machine({"On": am.State()})  # refused: arg-type
am.Machine(None, {"On": {}})  # refused: dict-item
am.Machine(None, ["On"])  # refused: arg-type
am.Machine(None, LightStates, queue_limits=3)  # refused: call-arg
am.Machine(None, LightStates, queue_limit="3")  # refused: arg-type
am.Machine(None, LightStates, handler_runner="process")  # refused: arg-type

opts: am.Opts = {"id": "light", "queue_limit": 3}
am.Machine(None, LightStates, **opts)
am.Machine(None, LightStates, **am.opts_with_debug(opts))
wrong: am.Opts = {"idd": "light"}  # refused: typeddict-unknown-key

reveal_type(mach.add1("On"))  # reveals: Result
mach.add(["On", "Off"], {"by": "hand"})
mach.add("On")
mach.add("On", "Off")  # refused: arg-type
mach.add1(["On"])  # refused: arg-type
mach.add_err("broken")  # refused: arg-type
reveal_type(mach.is1("On"))  # reveals: bool
reveal_type(mach.clock())  # reveals: dict[str, int]
reveal_type(mach.time())  # reveals: Time
reveal_type(mach.err)  # reveals: BaseException | None
reveal_type(mach.export())  # reveals: Serialized
reveal_type(mach.queue())  # reveals: list[Mutation]
reveal_type(mach.new_mutation(am.MutationType.ADD, "On"))  # reveals: Mutation
with am.Machine(None, LightStates) as closed_at_the_end:
    reveal_type(closed_at_the_end)  # reveals: Machine


def works_with_any(api: am.MachineApi) -> am.Result:
    reveal_type(api.when1("On"))  # reveals: WaitHandle
    return api.set([LightStates.On])


works_with_any(mach)
works_with_any("light")  # refused: arg-type


def write(level: am.LogLevel, text: str, *args: object) -> None: ...


mach.set_logger(write)
mach.set_logger(lambda level, text, *args: level.name + text % args)
mach.set_logger_simple(lambda text, *args: text % args, am.LogLevel.OPS)
mach.set_logger_simple(write, am.LogLevel.OPS)  # refused: arg-type
