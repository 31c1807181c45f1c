"""A plant with 517 simulated devices and one machine that follows them all.

Every device is linked, calibrated and then online; now and then it loses its link, overheats or
gets an update. Pipes from all devices say whether any is hot and whether all are online. One
seed makes everything random, and an agenda counts the time, so every run is the same.

One fault is planted: after an update, devices of one series never come back online. Find it:

    AM_DBG_FILE=devices.msgpack.br python examples/devices.py
    am-dbg why devices.msgpack.br mach://device-014 Online
    am-dbg when devices.msgpack.br mach://device-014 Calibrated

With `--repaired` they come back, and the plant ends with all devices online.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
from collections.abc import Callable

import amtracer
import machine as am
from machine import pipes

DEVICES = 517
HOURS = 3
UPDATES_EVERY = 7
FAULTY_SERIES = "C"

DEVICE = {
    "Powered": am.State(initial=True),
    "Linked": am.State(require=["Powered"]),
    "Calibrating": am.State(require=["Powered"], remove=["Calibrated"]),
    "Calibrated": am.State(require=["Powered"], remove=["Calibrating"]),
    "Online": am.State(auto=True, require=["Linked", "Calibrated"]),
    "Updating": am.State(require=["Linked"], remove=["Calibrated", "Online"]),
    "Hot": am.State(require=["Powered"]),
    "Cooling": am.State(auto=True, require=["Hot"], remove=["Online"]),
}
PLANT = {"AnyHot": am.State(), "AllOnline": am.State(add=["Started"]), "Started": am.State()}


class Agenda:
    """Calls in the order of their times, in minutes; nothing waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def after(self, minutes: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now + minutes, next(self._numbers), call))

    def run(self) -> None:
        """Make all calls, in order."""
        while self._due:
            self.now, _, call = heapq.heappop(self._due)
            call()


class Device:
    """Handlers of one device."""

    def __init__(self, plant: Plant, number: int) -> None:
        self.plant, self.series = plant, "ABCD"[number % 4]
        self.is_updated = number % UPDATES_EVERY == 0
        self.mach = am.Machine(
            None,
            DEVICE,
            id=f"device-{number:03}",
            parent=plant.mach,
            tags=["device", f"series-{self.series}"],
            handlers=self,
        )
        self.mach.set_logger_empty(am.LogLevel.CHANGES)
        self.later("Powered", 1, lambda: self.mach.add(["Linked", "Calibrating"]))
        self.later("Powered", 60, self.hourly)

    def later(self, state: str, minutes: float, call: Callable[[], object]) -> None:
        """Make the call after about this time, unless the state has ended by then."""
        ctx = self.mach.new_state_ctx(state)
        about = minutes * self.plant.rng.uniform(0.8, 1.2)
        self.plant.agenda.after(about, lambda: ctx.done or call())

    def CalibratingState(self, e: am.Event) -> None:
        self.later("Calibrating", 2, lambda: self.mach.add1("Calibrated"))

    def LinkedEnd(self, e: am.Event) -> None:
        self.later("Powered", 1, lambda: self.mach.add1("Linked"))

    def HotState(self, e: am.Event) -> None:
        self.later("Hot", 5, lambda: self.mach.remove1("Hot"))

    def UpdatingState(self, e: am.Event) -> None:
        self.later("Updating", 4, lambda: self.mach.remove1("Updating"))

    def UpdatingEnd(self, e: am.Event) -> None:
        """Calibrate again; the firmware of one series does not."""
        if self.plant.is_repaired or self.series != FAULTY_SERIES:
            self.mach.ev_add1(e, "Calibrating")

    def hourly(self) -> None:
        """One of three things happens; some devices get their update in the first hour."""
        if self.is_updated:
            self.is_updated = False
            self.mach.add1("Updating")
        elif self.plant.rng.random() < 0.2:
            self.mach.remove1("Linked")
        elif self.plant.rng.random() < 0.1:
            self.mach.add1("Hot")
        if self.plant.agenda.now < HOURS * 60:
            self.later("Powered", 60, self.hourly)


class Plant:
    """All devices, and the machine that follows them."""

    def __init__(self, devices: int, seed: int, is_repaired: bool) -> None:
        self.agenda, self.rng, self.is_repaired = Agenda(), random.Random(seed), is_repaired
        self.mach = am.Machine(None, PLANT, id="plant")
        amtracer.attach(self.mach)
        self.devices = [Device(self, number) for number in range(1, devices + 1)]
        each = [device.mach for device in self.devices]
        pipes.bind_any([(mach, "Hot") for mach in each], self.mach, "AnyHot")
        pipes.bind_all([(mach, "Online") for mach in each], self.mach, "AllOnline")


def run(devices: int = DEVICES, seed: int = 7, is_repaired: bool = False) -> Plant:
    """Let some hours pass."""
    plant = Plant(devices, seed, is_repaired)
    plant.agenda.run()
    return plant


def main() -> None:
    parser = argparse.ArgumentParser(description="A plant with simulated devices")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repaired", action="store_true", help="without the planted fault")
    asked = parser.parse_args()
    plant = run(asked.devices, asked.seed, asked.repaired)
    offline = [device.mach.id for device in plant.devices if device.mach.not1("Online")]
    print(f"{plant.mach}, {len(offline)} of {asked.devices} are not online")


if __name__ == "__main__":
    main()
