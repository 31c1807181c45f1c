"""Orders over HTTP: one machine for each order, and its reasons as answers.

A request asks for a state. If the machine refuses, the answer is 409 with the reason, so no
endpoint repeats the rules. An order that is not paid in time lapses by itself. Needs FastAPI:

    pip install fastapi uvicorn
    uvicorn --app-dir examples fastapi_orders:app
    curl -X POST localhost:8000/orders -H 'content-type: application/json' -d '{"item": "tea"}'
    curl -X POST localhost:8000/orders/1/Shipped          # 409: Shipped requires Paid
    curl localhost:8000/orders/1/why/Shipped

With `AM_DBG_ADDR=1` in the environment, the debugger shows every order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

import amtracer
import machine as am

UNPAID_S = 900.0
ORDERS_MAX = 10_000


def order_states(unpaid_s: float) -> dict[str, am.State]:
    """The states of an order, with the time for paying it."""
    states = {
        "Unpaid": am.State(initial=True, timeout=unpaid_s, on_timeout="Lapsed"),
        "Paid": am.State(),
        "Packed": am.State(require=["Paid"]),
        "Shipped": am.State(require=["Paid", "Packed"]),
        "Canceled": am.State(remove=["Packed"]),
        "Lapsed": am.State(),
    }
    return am.struct_exclusive(states, ["Unpaid", "Paid", "Canceled", "Lapsed"])


ASKED = ("Paid", "Packed", "Shipped", "Canceled")
"""The states that a request may ask for."""


class NewOrder(BaseModel):
    """What a customer sends."""

    item: str = Field(min_length=1, max_length=80)


class OrderView(BaseModel):
    """What a customer gets."""

    id: int
    item: str
    states: list[str]


class Order:
    """Handlers of one order: the rules that relations cannot say."""

    def __init__(self, shop: Shop, id: int, item: str) -> None:
        self.id, self.item = id, item
        self.mach = am.Machine(
            None,
            shop.order_states,
            id=f"order-{id}",
            parent=shop.mach,
            executor=asyncio.get_running_loop(),
            handlers=self,
        )

    def PaidEnter(self, e: am.Event) -> bool:
        """Only an unpaid order is paid."""
        return e.machine.is1("Unpaid")

    def CanceledEnter(self, e: am.Event) -> bool:
        """What is on its way cannot be canceled."""
        return e.machine.not1("Shipped")

    def view(self) -> OrderView:
        return OrderView(id=self.id, item=self.item, states=self.mach.active_states())


class Shop:
    """All orders. It lives as long as the app."""

    def __init__(self, unpaid_s: float) -> None:
        self.order_states = order_states(unpaid_s)
        self.orders: dict[int, Order] = {}
        self.ids = itertools.count(1)
        self.mach = am.Machine(None, {"Open": am.State(initial=True)}, id="shop")
        amtracer.attach(self.mach)

    def find(self, id: int) -> Order:
        if id not in self.orders:
            raise HTTPException(404, f"no order {id}")
        return self.orders[id]


def make_app(unpaid_s: float = UNPAID_S) -> FastAPI:
    """An app with a shop of its own."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.shop = Shop(unpaid_s)
        yield
        app.state.shop.mach.dispose()

    app = FastAPI(title="Orders", lifespan=lifespan)

    @app.post("/orders", status_code=201)
    async def place(new: NewOrder) -> OrderView:
        shop: Shop = app.state.shop
        if len(shop.orders) >= ORDERS_MAX:
            raise HTTPException(503, "too many orders")
        order = Order(shop, next(shop.ids), new.item)
        shop.orders[order.id] = order
        return order.view()

    @app.get("/orders/{id}")
    async def show(id: int) -> OrderView:
        order: Order = app.state.shop.find(id)
        return order.view()

    @app.post("/orders/{id}/{state}")
    async def ask_for(id: int, state: str) -> OrderView:
        order: Order = app.state.shop.find(id)
        if state not in ASKED:
            raise HTTPException(404, f"{state} is none of {', '.join(ASKED)}")
        outcome = order.mach.ask.add1(state)
        if not await outcome:
            raise HTTPException(409, str(outcome.reason))
        return order.view()

    @app.get("/orders/{id}/why/{state}")
    async def why(id: int, state: str) -> list[str]:
        order: Order = app.state.shop.find(id)
        if not order.mach.has1(state):
            raise HTTPException(404, f"no state {state}")
        return str(order.mach.why_not(state)).splitlines()

    return app


app = make_app()
