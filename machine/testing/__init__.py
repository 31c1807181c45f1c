"""What tests of machines use: a clock that is moved by hand.

`from machine import testing`. Nothing of it is loaded by `import machine`. It needs no test
framework; the fixtures of pytest are in `amtracer.pytest_plugin`.
"""

from machine.testing.clock import ManualClock

__all__ = ["ManualClock"]
