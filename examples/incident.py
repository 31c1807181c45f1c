"""A shop in which three things go wrong, to practise finding causes with the debugger.

Customers place forty orders. The checkout reserves goods in the stock and charges the customer
through the payments, which need the gateway. The mailer confirms each order. On this day

- one customer has no mail address, and the mailer does not expect that;
- the scheduler starts the count of the stock at noon, so nothing can be reserved meanwhile;
- the certificate of the gateway expires, so the payments go offline. The shop only sees that
  its payments are down: the cause is two machines away.

Nothing is random, so every run makes the same transitions. With `--repaired` nothing goes
wrong, and `am-dbg diff` of both recordings shows where they part.

    AM_DBG_FILE=incident.msgpack.br python examples/incident.py    # then: am-dbg -i ...
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import amtracer
import machine as am

ORDERS = 40
WITHOUT_ADDRESS = 9
COUNTED_AT, COUNTED_UNTIL = 17, 18
EXPIRES_AT = 30

SHOP = {
    "Start": am.State(),
    "Open": am.State(auto=True, require=["Start"], remove=["Closed"]),
    "OrderPlaced": am.State(multi=True, require=["Open"]),
    "OrderShipped": am.State(multi=True, require=["Start"]),
    "Closed": am.State(remove=["Start", "Open", "OrderPlaced"]),
    "Exception": am.State(multi=True),
    "ErrOrderLost": am.State(multi=True, require=["Exception"]),
    "ErrPaymentsDown": am.State(multi=True, require=["Exception"]),
}
CHECKOUT = {
    "Start": am.State(),
    "Ready": am.State(auto=True, require=["Start"]),
    "OrderTaken": am.State(multi=True, require=["Ready"]),
    "OrderPaid": am.State(multi=True, require=["Ready"]),
    "OrderHeld": am.State(multi=True, require=["Start"]),
}
STOCK = {
    "Start": am.State(),
    "Reserved": am.State(multi=True, require=["Start"]),
    "Packed": am.State(multi=True, require=["Start"]),
    "StockTaking": am.State(require=["Start"], remove=["Reserved"]),
}
PAYMENTS = {
    "Start": am.State(),
    "Online": am.State(require=["Start"], remove=["Offline"]),
    "Offline": am.State(require=["Start"], remove=["Online", "Charging"]),
    "Charging": am.State(multi=True, require=["Online"]),
    "Charged": am.State(multi=True, require=["Start"]),
}
GATEWAY = {
    "Start": am.State(),
    "Handshake": am.State(require=["Start"], remove=["Connected"]),
    "Connected": am.State(require=["Start"], remove=["Handshake"]),
    "Exception": am.State(multi=True, remove=["Connected", "Handshake"]),
    "ErrCertificate": am.State(require=["Exception"]),
}
MAILER = {
    "Start": am.State(),
    "Rendering": am.State(multi=True, require=["Start"]),
    "MailSent": am.State(multi=True, require=["Start"]),
}
SCHEDULER = {
    "Start": am.State(),
    "HourStruck": am.State(multi=True, require=["Start"]),
    "CountStarted": am.State(require=["Start"], remove=["CountEnded"]),
    "CountEnded": am.State(require=["Start"], remove=["CountStarted"]),
}


class Agenda:
    """Calls in the order of their times; each unit of time takes `pace` seconds."""

    def __init__(self, pace: float) -> None:
        self.now = 0.0
        self._pace = pace
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def at(self, due: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), call))

    def run(self) -> None:
        """Make all calls, in order."""
        while self._due:
            due, _, call = heapq.heappop(self._due)
            time.sleep((due - self.now) * self._pace)
            self.now = due
            call()


@dataclass
class Order:
    """What a customer orders; `mail` is None for a customer without an address."""

    id: str
    mail: str | None

    @property
    def args(self) -> dict[str, object]:
        return {"order": self.id, "what": self}


class Company:
    """All machines of the shop, and the agenda of the day."""

    def __init__(self, pace: float, *, is_repaired: bool) -> None:
        self.is_repaired = is_repaired
        self.agenda = Agenda(pace)
        self.shop = am.Machine(None, SHOP, id="shop")
        amtracer.attach(self.shop, args_filter=shown_args)
        self.checkout = self.part("checkout", CHECKOUT)
        self.stock = self.part("stock", STOCK)
        self.payments = self.part("payments", PAYMENTS)
        self.gateway = self.part("gateway", GATEWAY)
        self.mailer = self.part("mailer", MAILER)
        self.scheduler = self.part("scheduler", SCHEDULER)
        self.machines = (
            (self.shop, ShopHandlers(self)),
            (self.checkout, CheckoutHandlers(self)),
            (self.payments, PaymentsHandlers(self)),
            (self.gateway, GatewayHandlers(self)),
            (self.mailer, MailerHandlers(self)),
            (self.scheduler, SchedulerHandlers(self)),
        )
        for mach, handlers in self.machines:
            mach.bind_handlers(handlers)

    def part(self, id: str, schema: dict[str, am.State]) -> am.Machine:
        """A machine below the shop."""
        return am.Machine(None, schema, id=id, parent=self.shop)

    def open(self) -> None:
        """Start every machine, and put the day on the agenda."""
        for mach in (self.shop, *(m for m in self.parts() if m is not self.shop)):
            log_quietly(mach)
            mach.add1("Start")
        for number in range(1, ORDERS + 1):
            is_odd = number == WITHOUT_ADDRESS and not self.is_repaired
            order = Order(f"order-{number:02}", None if is_odd else f"customer{number}@example.org")
            self.agenda.at(number, partial(self.shop.add1, "OrderPlaced", order.args))
        for hour in range(5, ORDERS, 10):
            self.agenda.at(hour, partial(self.scheduler.add1, "HourStruck", {"hour": hour}))
        if not self.is_repaired:
            self.agenda.at(COUNTED_AT - 0.5, lambda: self.scheduler.add1("CountStarted"))
            self.agenda.at(COUNTED_UNTIL + 0.5, lambda: self.scheduler.add1("CountEnded"))
            self.agenda.at(EXPIRES_AT - 0.5, self.expire)
        self.agenda.at(ORDERS + 1, lambda: self.shop.add1("Closed"))

    def parts(self) -> tuple[am.Machine, ...]:
        return (
            self.gateway,
            self.payments,
            self.stock,
            self.mailer,
            self.checkout,
            self.scheduler,
            self.shop,
        )

    def expire(self) -> None:
        """The gateway renews its connection, and its certificate is refused."""
        self.gateway.add1("Handshake", {"host": "pay.example.org"})


class Handlers(am.ExceptionHandler):
    """Handlers that reach the other machines."""

    def __init__(self, company: Company) -> None:
        self.company = company


class ShopHandlers(Handlers):
    """The shop hands every order to the checkout."""

    def OrderPlacedState(self, e: am.Event) -> None:
        self.company.checkout.ev_add1(e, "OrderTaken", e.args["what"].args)

    def ExceptionState(self, e: am.Event) -> None:
        """An order is lost, and the shop goes on."""
        super().ExceptionState(e)
        self.company.shop.remove1("Exception")


class CheckoutHandlers(Handlers):
    """The checkout reserves the goods, then charges the customer."""

    def OrderTakenState(self, e: am.Event) -> None:
        company, order = self.company, e.args["what"]
        if company.stock.ev_add1(e, "Reserved", order.args) is am.Result.CANCELED:
            self.lose(e, order, "the stock reserved nothing")
        elif company.payments.ev_add1(e, "Charging", order.args) is am.Result.CANCELED:
            company.checkout.ev_add1(e, "OrderHeld", order.args)

    def lose(self, e: am.Event, order: Order, why: str) -> None:
        lost = LookupError(f"{order.id} is lost: {why}")
        self.company.shop.ev_add_err_state(e, "ErrOrderLost", lost, order.args)

    def OrderPaidState(self, e: am.Event) -> None:
        order = e.args["what"]
        self.company.stock.ev_add1(e, "Packed", order.args)
        self.company.mailer.ev_add1(e, "Rendering", order.args)
        self.company.shop.ev_add1(e, "OrderShipped", order.args)


class PaymentsHandlers(Handlers):
    """The payments charge a customer a moment later."""

    def ChargingState(self, e: am.Event) -> None:
        company, order = self.company, e.args["what"]
        charge = lambda: company.payments.add1("Charged", order.args)  # noqa: E731
        company.agenda.at(company.agenda.now + 0.2, charge)

    def ChargedState(self, e: am.Event) -> None:
        self.company.checkout.ev_add1(e, "OrderPaid", e.args["what"].args)

    def OfflineState(self, e: am.Event) -> None:
        down = ConnectionError("no payment is possible")
        self.company.shop.ev_add_err_state(e, "ErrPaymentsDown", down)


class GatewayHandlers(Handlers):
    """The gateway connects at the start, and again when the agenda says so."""

    def StartState(self, e: am.Event) -> None:
        self.company.gateway.add1("Handshake", {"host": "pay.example.org"})

    def HandshakeState(self, e: am.Event) -> None:
        if self.company.agenda.now < 1:
            self.company.gateway.add1("Connected")
        else:
            refused = PermissionError("the certificate of pay.example.org expired at 12:00")
            self.company.gateway.ev_add_err_state(e, "ErrCertificate", refused)

    def ConnectedState(self, e: am.Event) -> None:
        payments = self.company.payments
        self.company.agenda.at(0.5, lambda: payments.ev_add1(e, "Online"))

    def ErrCertificateState(self, e: am.Event) -> None:
        self.company.payments.ev_add1(e, "Offline")


class MailerHandlers(Handlers):
    """The mailer confirms each order; it does not expect a customer without an address."""

    def RenderingState(self, e: am.Event) -> None:
        order = e.args["what"]
        name, _, host = order.mail.partition("@")
        self.company.mailer.ev_add1(e, "MailSent", {"order": order.id, "name": name, "host": host})

    def MailSentState(self, e: am.Event) -> None:
        self.company.mailer.ev_remove(e, ["Rendering", "MailSent"])

    def ExceptionState(self, e: am.Event) -> None:
        super().ExceptionState(e)
        lost = LookupError("an order was not confirmed")
        self.company.shop.ev_add_err_state(e, "ErrOrderLost", lost)
        self.company.mailer.remove(["Exception", "Rendering"])


class SchedulerHandlers(Handlers):
    """The scheduler starts and ends the count of the stock."""

    def CountStartedState(self, e: am.Event) -> None:
        self.company.stock.ev_add1(e, "StockTaking")

    def CountEndedState(self, e: am.Event) -> None:
        self.company.stock.ev_remove1(e, "StockTaking")


def shown_args(mach_id: str, args: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments that a debugger gets: no orders as objects."""
    return {key: value for key, value in args.items() if key != "what"}


def log_quietly(mach: am.Machine) -> None:
    """Send log lines to the debugger and not to the terminal."""
    mach.set_log_id(False)
    mach.set_logger_empty(am.LogLevel.OPS)
    mach.set_log_args(am.new_args_mapper(["order", "host", "hour"], 40))


def run(pace: float = 0.0, *, is_repaired: bool = False) -> Company:
    """Run the day, from the first order to the last."""
    company = Company(pace, is_repaired=is_repaired)
    company.open()
    company.agenda.run()
    assert company.shop.is1("Closed")
    return company


def main() -> None:
    parser = argparse.ArgumentParser(description="A shop in which three things go wrong")
    parser.add_argument("--repaired", action="store_true", help="nothing goes wrong")
    parser.add_argument("--pace", type=float, default=0.05, help="seconds for each order")
    asked = parser.parse_args()
    run(asked.pace, is_repaired=asked.repaired)


if __name__ == "__main__":
    main()
