"""The package `machine` under the name of its distribution.

`import asyncmachine as am` is the same as `import machine as am`: every name is the same object,
and so is every public module, such as `asyncmachine.errors`. It also works where a file
`machine.py` of the program would be found first (`asyncmachine._machine_beside`).
"""

import asyncmachine._machine_beside  # noqa: F401 - it has to come before `machine`
import machine
from machine import *  # noqa: F403 - all public names
from machine import __version__ as __version__

__all__ = machine.__all__
