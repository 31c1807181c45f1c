"""Short ways for common work: the module `machine.helpers` itself."""

import sys

from machine import helpers
from machine.helpers import *  # noqa: F403 - all public names, for type checkers

__all__ = helpers.__all__

sys.modules[__name__] = helpers
