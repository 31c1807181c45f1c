"""Control of the screen of `am-dbg diff`, which shows two sessions side by side."""

from am_dbg.control.comparison.comparison_control import (
    ComparisonControl,
    ComparisonRequest,
    OpenSide,
)

__all__ = ["ComparisonControl", "ComparisonRequest", "OpenSide"]
