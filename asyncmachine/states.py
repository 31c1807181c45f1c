"""Predefined states that many machines share: the module `machine.states` itself."""

import sys

from machine import states
from machine.states import *  # noqa: F403 - all public names, for type checkers

__all__ = states.__all__

sys.modules[__name__] = states
