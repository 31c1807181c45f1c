"""Sizes of the panes of a wide screen: the defaults, the user's own, and the limits of both.

The rows that States does not need go to Machines. They depend on the schema alone, not on the
number of machines, so a program that connects moves nothing. While a state is unfolded or steps
are shown, States has its full share.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT_MIN = 20
RIGHT_MIN = 24
MIDDLE_MIN = 30
ROWS_MIN = 5
"""The fewest rows of Machines, and of States."""
FRAME_ROWS = 2


@dataclass(frozen=True, slots=True)
class PaneSizes:
    """The sizes that the user gave: columns at the left and right, rows of Machines; 0 for none."""

    left: int = 0
    right: int = 0
    upper: int = 0


def right_width(width: int, sizes: PaneSizes) -> int:
    """The columns of the reader."""
    wanted = sizes.right or max(30, min(46, width * 22 // 100))
    return max(RIGHT_MIN, min(wanted, width - LEFT_MIN - MIDDLE_MIN))


def left_width(width: int, right: int, sizes: PaneSizes) -> int:
    """The columns of Machines and States beside a reader of some width, 0 for none."""
    wanted = sizes.left or max(28, min(38, width * 23 // 100))
    return max(LEFT_MIN, min(wanted, width - right - MIDDLE_MIN))


def upper_height(body: int, states: int, sizes: PaneSizes) -> int:
    """The rows of Machines; `states` is how many rows States needs, 0 for its full share."""
    unused = body - states - FRAME_ROWS if states else 0
    wanted = sizes.upper or max(body // 3, unused)
    return max(min(ROWS_MIN, body - 1), min(wanted, body - ROWS_MIN))
