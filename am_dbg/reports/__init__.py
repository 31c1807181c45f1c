"""Reports without a screen: values for JSON and lines of text for people."""

from am_dbg.reports.checked import check_lines, check_value, damage_line
from am_dbg.reports.error_list import error_json, error_lines
from am_dbg.reports.explanations import (
    state_lines,
    state_value,
    why_lines,
    why_text,
    why_value,
)
from am_dbg.reports.found import found_by, found_json, found_lines
from am_dbg.reports.json_values import (
    JsonObject,
    gap_value,
    history_json,
    machine_value,
    rest_value,
    session_value,
    start_value,
    transition_value,
)
from am_dbg.reports.pane_views import (
    log_lines,
    rain_json,
    rain_lines,
    states_lines,
    states_value,
    steps_lines,
    steps_value,
)
from am_dbg.reports.statistics import stats_lines, stats_value
from am_dbg.reports.text_lines import history_lines, machine_lines, start_lines, transition_lines

__all__ = [
    "JsonObject",
    "check_lines",
    "check_value",
    "damage_line",
    "error_json",
    "error_lines",
    "found_by",
    "found_json",
    "found_lines",
    "gap_value",
    "history_json",
    "history_lines",
    "log_lines",
    "machine_lines",
    "machine_value",
    "rain_json",
    "rain_lines",
    "rest_value",
    "session_value",
    "start_lines",
    "start_value",
    "state_lines",
    "state_value",
    "states_lines",
    "states_value",
    "stats_lines",
    "stats_value",
    "steps_lines",
    "steps_value",
    "transition_lines",
    "transition_value",
    "why_lines",
    "why_text",
    "why_value",
]
