"""What tests of machines use: the module `machine.testing` itself."""

import sys

from machine import testing
from machine.testing import *  # noqa: F403 - all public names, for type checkers

__all__ = testing.__all__

sys.modules[__name__] = testing
