"""The whole transition as plain text for the clipboard."""

from __future__ import annotations

from am_dbg.drawing.reader import reader_text
from am_dbg.projection.addresses.write import write_address
from am_dbg.projection.excerpt import Excerpt
from am_dbg.projection.reader import project_reader
from am_dbg.projection.steps import Moment, step_text, type_name
from am_dbg.projection.times import duration, full_time
from am_dbg.store import Store


def transition_text(store: Store, moment: Moment) -> str:
    """Address, time, mutation, log lines, steps and the reader's sections, without borders."""
    if moment.is_start:
        return write_address(moment.track.key) + "\n"
    track = moment.track
    transition = track.transition(moment.number)
    states = track.schema_at(moment.number)
    called = " ".join(states[index].name for index in transition.shape.called)
    rows = [
        write_address(track.key, transition.id),
        f"tx {transition.number}/{track.count}  {type_name(transition.shape.type)} {called}",
        f"{full_time(transition.time_ns)}  t{track.time_sum(moment.number)}",
    ]
    if transition.duration_ns:
        rows[-1] += f"  took {duration(transition.duration_ns)}"
    texts = Excerpt()
    texts.begin()
    entries = (*transition.pre_lines, *transition.lines)
    rows += ["", *(text for _, text in texts.of(entries, "line"))]
    rows += ["", "Steps"]
    for step in transition.shape.steps:
        row = step_text(step, states)
        rows.append(f"{row.look.value} {row.subject} {row.outcome}".rstrip())
    return "\n".join([*rows, "", reader_text(project_reader(store, moment)), ""])
