"""A quiz: which of three states are active after each mutation?

    python examples/relations_playground.py

The log of the machine shows what each relation did.
"""

from __future__ import annotations

import amtracer
import machine as am

STATES = {
    "Wet": am.State(require=["Water"]),
    "Dry": am.State(remove=["Wet"]),
    "Water": am.State(add=["Wet"], remove=["Dry"]),
}


def show(mach: am.Machine, state: str) -> None:
    """Add one state and print the log lines, the result and the states."""
    print(f"\nadd {state}")
    result = mach.add1(state)
    print(f"  {result.name.lower()}: {mach.string_all()}")


def main() -> None:
    mach = am.Machine(None, STATES, id="wetness", log_id=False)
    mach.set_logger(lambda level, text, *args: print(f"  {text % args if args else text}"))
    mach.set_log_level(am.LogLevel.OPS)
    amtracer.attach(mach)

    show(mach, "Dry")
    show(mach, "Water")
    print("\nQuiz: is Wet active?")
    print(f"Yes: Water brings Wet along and takes Dry away. {mach}" if mach.is1("Wet") else "No")

    show(mach, "Dry")
    print("\nQuiz: and now?")
    print(f"Water is active and blocks Dry, so nothing changed. {mach}")


if __name__ == "__main__":
    main()
