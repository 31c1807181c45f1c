"""Waiting: what handles and contexts give, blocking and awaited."""

import asyncio
from typing import reveal_type

import machine as am

mach = am.Machine(None, {"Ready": am.State()})
ready = mach.when1("Ready")
reveal_type(ready)  # reveals: WaitHandle
reveal_type(ready.wait(1))  # reveals: bool
reveal_type(ready.done)  # reveals: bool
with mach.changes("Ready", limit=5) as changes:
    reveal_type(changes)  # reveals: Changes
unsure = changes.next(1).clock  # refused: union-attr
reveal_type([change.clock for change in changes])  # reveals: list[dict[str, int]]
mach.changes(5)  # refused: arg-type
mach.when1("Ready", 5)  # refused: arg-type
mach.when_args("Ready", "id")  # refused: arg-type
ready.wait("5")  # refused: arg-type
ready.add_done_callback(lambda handle: handle.reason)
ready.add_done_callback(lambda handle: handle.raison)  # refused: attr-defined

outcome = mach.ask.add1("Ready", {"id": 1})
reveal_type(outcome)  # reveals: Outcome
reveal_type(outcome.result)  # reveals: Result
reveal_type(mach.why_not("Ready").text)  # reveals: str
unsaid = outcome.reason.text  # refused: union-attr
reveal_type(mach.when_any1("Ready", "Ready"))  # reveals: WaitHandle
outcome.cancel()  # refused: attr-defined
mach.ask.add1(5)  # refused: arg-type
unasked = mach.last_refusal.text  # refused: union-attr
reveal_type(am.first(ready, mach.when_err()))  # reveals: WaitHandle | None
reveal_type(am.every(ready, mach.ctx, timeout=1))  # reveals: bool
with am.Context() as ctx:
    reveal_type(ctx)  # reveals: Context
reveal_type(ctx.with_timeout(1).err)  # reveals: ContextError | None
reveal_type(mach.new_state_ctx("Ready"))  # reveals: Context


async def waits() -> None:
    reveal_type(await ready)  # reveals: bool
    reveal_type(await mach.ctx)  # reveals: bool
    reveal_type(await outcome)  # reveals: bool
    async for change in changes:
        reveal_type(change.active)  # reveals: tuple[str, ...]
    reveal_type(await asyncio.wait_for(ready, 1))  # reveals: bool
    reveal_type(await am.first_async(ready, mach.when_err()))  # reveals: WaitHandle | None
    reveal_type(await am.every_async(ready, mach.ctx))  # reveals: bool
