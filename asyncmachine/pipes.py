"""Pipes between machines: the module `machine.pipes` itself."""

import sys

from machine import pipes
from machine.pipes import *  # noqa: F403 - all public names, for type checkers

__all__ = pipes.__all__

sys.modules[__name__] = pipes
