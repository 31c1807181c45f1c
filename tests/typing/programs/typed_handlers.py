"""Handlers and tracers: decorators keep the types of what they decorate."""

from typing import reveal_type

import machine as am


class DoorStates(am.StatesBase):
    Open: str = am.state(multi=True)


ss = am.new_states(DoorStates)
mach = am.Machine(None, DoorStates)


class Handlers(am.ExceptionHandler):
    @am.on(ss.Open, "Enter")
    def may_open(self, e: am.Event) -> bool:
        reveal_type(e.machine)  # reveals: Machine
        reveal_type(e.args)  # reveals: dict[str, Any]
        reveal_type(e.transition())  # reveals: Transition | None
        return True

    @am.on(ss.Opened, "State")  # refused: call-overload, untyped-decorator, attr-defined
    def misspelled(self, e: am.Event) -> None: ...

    def ExceptionState(self, e: am.Event) -> None:
        super().ExceptionState(e)


am.on(ss.Open)  # refused: call-overload
am.on(ss.Open, "Entered")  # refused: call-overload
am.on(ss.Open, "Enter", to=ss.Open)  # refused: call-overload
reveal_type(Handlers().may_open)  # reveals: def (e: Event) -> bool
mach.bind_handlers(Handlers())


@mach.on(ss.Open, "State")
async def stays_open(e: am.Event) -> None: ...


reveal_type(stays_open)  # reveals: def (e: Event) -> Coroutine[Any, Any, None]


@mach.on_error
def told(machine: am.Machine, error: BaseException) -> None: ...


@mach.on_error  # refused: type-var
def told_wrongly(machine: str) -> None: ...


@mach.panic_to_err()
def measured(width: int) -> float:
    return width / 2


@mach.panic_to_err_state("Exception")
async def fetched(width: int) -> float:
    return width / 2


reveal_type(measured)  # reveals: def (width: int) -> float | None
reveal_type(fetched)  # reveals: def (width: int) -> Coroutine[Any, Any, float | None]


class Journal(am.Tracer):
    def transition_end(self, tx: am.Transition) -> None:
        reveal_type(tx.steps)  # reveals: list[Step]
        reveal_type(tx.mutation.type)  # reveals: MutationType
        reveal_type(tx.source)  # reveals: MutSource | None


class WrongJournal(am.Tracer):
    def transition_end(self, tx: int) -> None: ...  # refused: override


mach.bind_tracer(Journal())
mach.bind_tracer(Journal)  # refused: arg-type
