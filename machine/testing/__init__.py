"""What tests of machines use: assertions with reasons, a clock by hand, coverage, paths.

`from machine import testing`. Nothing of it is loaded by `import machine`. It needs no test
framework, and `states_machine` alone needs Hypothesis. The fixtures of pytest are in
`amtracer.pytest_plugin`.
"""

from machine.testing.asserting import (
    a_assert_becomes,
    assert_active,
    assert_becomes,
    assert_inactive,
)
from machine.testing.clock import ManualClock
from machine.testing.covering import Coverage
from machine.testing.paths import states_machine

__all__ = [
    "Coverage",
    "ManualClock",
    "a_assert_becomes",
    "assert_active",
    "assert_becomes",
    "assert_inactive",
    "states_machine",
]
