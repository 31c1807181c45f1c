"""The errors of the library: the module `machine.errors` itself."""

import sys

from machine import errors
from machine.errors import *  # noqa: F403 - all public names, for type checkers

__all__ = errors.__all__

sys.modules[__name__] = errors
