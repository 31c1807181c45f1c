"""Short ways for what programs often do with a machine: mutate and wait, ask, retry, fan out.

`from machine import helpers`. `import machine` does not load it. A call that blocks a thread has
a twin for tasks, whose name begins with `a_`. `ctx` is a `Context` or None: its end ends the wait.
"""

from machine.helpers.blocking import (
    a_add1_async_block,
    a_add1_block,
    add1_async_block,
    add1_block,
    is_multi,
)
from machine.helpers.checking import ask_add, ask_add1, ask_remove, ask_remove1
from machine.helpers.fanning import FanOut, fan_out_in
from machine.helpers.requesting import (
    MutRequest,
    new_mut_request,
    new_req_add,
    new_req_add1,
    new_req_remove,
    new_req_remove1,
)
from machine.helpers.waits import (
    a_wait_for_all,
    a_wait_for_any,
    a_wait_for_err_all,
    a_wait_for_err_any,
    group_when1,
    wait_for_all,
    wait_for_any,
    wait_for_err_all,
    wait_for_err_any,
)

__all__ = [
    "FanOut",
    "MutRequest",
    "a_add1_async_block",
    "a_add1_block",
    "a_wait_for_all",
    "a_wait_for_any",
    "a_wait_for_err_all",
    "a_wait_for_err_any",
    "add1_async_block",
    "add1_block",
    "ask_add",
    "ask_add1",
    "ask_remove",
    "ask_remove1",
    "fan_out_in",
    "group_when1",
    "is_multi",
    "new_mut_request",
    "new_req_add",
    "new_req_add1",
    "new_req_remove",
    "new_req_remove1",
    "wait_for_all",
    "wait_for_any",
    "wait_for_err_all",
    "wait_for_err_any",
]
