"""All machines in order of time: the scope of keys, the merged log, the list of all errors."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.machines import draw_machines
from am_dbg.drawing.merged_log import draw_merged_log
from am_dbg.projection.log.merged_rows import CAUSE_MARK, EFFECT_MARK
from am_dbg.projection.log.window import RowKind
from am_dbg.projection.occurrences import LISTED_MAX, OccurrenceKind
from am_dbg.query import Filters
from am_dbg.store import Store
from amtracer.wire.messages import Source
from tests.screens.driving import do
from tests.screens.stories import MILLISECOND, Story, files_story

SIZE = (160, 45)
TRACE = 'Traceback (most recent call last):\n  File "a/io.py", line 7, in go'


def pool_story() -> Story:
    """A pool that asks two workers; the second one fails, and the pool notes that."""
    story = Story()
    pool, first, second = (story.machine(name) for name in ("pool", "worker-1", "worker-2"))
    pool.add("Start")
    first.add("Start", source=Source("pool", pool.tx(1), 0))
    second.add("Start", source=Source("pool", pool.tx(1), 0))
    first.add("Ping")
    first.cancel("Ready")
    second.add(
        "Exception",
        args=(("err", "ValueError('no file')"), ("file", "README.md")),
        lines=((1, f"[error] no file\n{TRACE}"),),
    )
    pool.add("Ping", source=Source("worker-2", second.tx(2), 0), args=(("file", "README.md"),))
    first.remove("Ping", after_ns=2_000 * MILLISECOND)
    return story


@pytest.fixture
def pool() -> Control:
    """A control at the start of the pool, with the scope of all machines."""
    control = Control(pool_story().store())
    control.data_arrived()
    control.open_address("mach://pool/1")
    control.project(*SIZE)
    return do(control, "scope")


def place(control: Control) -> str:
    cursor = control.workspace.cursor
    assert cursor is not None
    return f"{cursor.track.key}/{cursor.number}"


def names(control: Control) -> list[str]:
    """The rows of the log as `machine/number`."""
    rows = control.project(*SIZE).log.rows
    return [f"{row.machine}/{row.number}" for row in rows if row.kind is RowKind.ENTRY]


def test_arrows_go_on_in_time_over_all_machines(pool: Control) -> None:
    """With the scope of all machines, the next transition may be in another machine."""
    seen = [place(do(pool, "next_transition")) for _ in range(3)]

    assert seen == ["worker-1/1", "worker-2/1", "worker-1/2"]
    assert place(do(pool, "previous_transition")) == "worker-2/1"


def test_without_the_scope_of_all_arrows_stay_in_their_machine(pool: Control) -> None:
    """The same key switches back to the selected machine alone."""
    do(pool, "scope")

    assert place(do(pool, "next_transition")) == "pool/2"
    assert pool.project(*SIZE).log.scope == ""


def test_both_ends_are_those_of_all_machines(pool: Control) -> None:
    """Home and End reach the first and the last transition of all; beyond them is a message."""
    assert place(do(pool, "last")) == "worker-1/4"
    assert place(do(pool, "next_transition")) == "worker-1/4"
    assert pool.message == "this is the last of all transitions"
    assert place(do(pool, "first")) == "pool/1"
    do(pool, "previous_transition")
    assert pool.message == "this is the first of all transitions"


def test_the_next_error_is_in_any_machine(pool: Control) -> None:
    """`e` selects the machine of the next error and shows how many there are."""
    assert place(do(pool, "next_error")) == "worker-2/2"
    assert pool.message == "error 1 of 1 in 1 machine"

    do(pool, "next_error")

    assert place(pool) == "worker-2/2"
    assert pool.message == "no error after this one in any machine, 1 in 1 machine"


def test_the_next_canceled_transition_is_in_any_machine(pool: Control) -> None:
    """`c` and `C` go on in time over all machines too."""
    assert place(do(pool, "next_canceled")) == "worker-1/3"
    assert place(do(pool, "last", "previous_canceled")) == "worker-1/3"


def test_a_search_goes_over_all_machines(pool: Control) -> None:
    """A hit in another machine is reached, and the search goes on from there."""
    do(pool, "search")
    pool.type_search("README")
    assert place(pool) == "worker-2/2"
    pool.accept_search()

    assert place(do(pool, "next_hit")) == "pool/2"
    assert pool.project(*SIZE).filters.hits == 2
    do(pool, "next_hit")
    assert (place(pool), pool.message) == ("worker-2/2", "continued from the first hit")
    do(pool, "previous_hit")
    assert (place(pool), pool.message) == ("pool/2", "continued from the last hit")


def test_a_canceled_search_goes_back_to_where_it_began(pool: Control) -> None:
    """Also if the hit was in another machine."""
    do(pool, "search")
    pool.type_search("README")
    do(pool, "escape")

    assert place(pool) == "pool/1"


def test_in_one_machine_the_message_shows_that_others_have_errors(pool: Control) -> None:
    """Without an error here, the footer shows where some are and which key goes there."""
    do(pool, "scope")
    assert pool.project(*SIZE).footer.hints
    do(pool, "next_error")

    assert pool.message == "no error after this one; 1 in 1 other: ! lists them"


def test_the_counts_of_the_footer_include_other_machines(pool: Control) -> None:
    """The scope is one machine: its own errors are counted first, then all."""
    do(pool, "scope")
    pool.show_message("")

    assert pool.project(*SIZE).footer.errors == "0 here, 1 in 1 machine"
    assert pool.project(80, 24).footer.errors == "0+1"
    pool.open_address("mach://worker-2/2")
    pool.show_message("")
    assert pool.project(*SIZE).footer.errors == "1/1"


def test_the_scope_is_visible_in_title_status_and_footer(pool: Control) -> None:
    """Nobody has to remember which scope holds."""
    pool.show_message("")
    screen = pool.project(*SIZE)

    assert screen.log.scope == "all 3 machines"
    assert screen.status.scope == "all 3 machines"
    assert screen.footer.scope == "all"


def test_the_merged_log_shows_all_machines_in_order_of_time(pool: Control) -> None:
    """Each row names its machine."""
    assert names(pool) == [
        "pool/1",
        "worker-1/1",
        "worker-2/1",
        "worker-1/2",
        "worker-1/3",
        "worker-2/2",
        "pool/2",
        "worker-1/4",
    ]


def test_a_row_shows_the_transition_that_requested_it(pool: Control) -> None:
    """The cause of a row is named if it is in another machine."""
    rows = {f"{row.machine}/{row.number}": row for row in pool.project(*SIZE).log.rows}

    assert rows["worker-1/1"].cause == "pool/1"
    assert rows["worker-2/2"].cause == ""
    text = "\n".join(line.text for line in draw_merged_log(pool.project(*SIZE).log, 100))
    assert "◂ worker-2/2" in text


def test_cause_and_effects_of_the_current_row_are_marked(pool: Control) -> None:
    """What requested this one, and what this one requested, can be seen at once."""
    marks = {row.machine: row.mark for row in pool.project(*SIZE).log.rows if row.number == 1}
    assert marks == {"pool": "", "worker-1": EFFECT_MARK, "worker-2": EFFECT_MARK}

    do(pool, "next_transition")
    marks = {row.machine: row.mark for row in pool.project(*SIZE).log.rows if row.number == 1}
    assert marks == {"pool": CAUSE_MARK, "worker-1": "", "worker-2": ""}


def test_a_click_on_a_row_selects_its_machine(pool: Control) -> None:
    """The log of all machines leads to each of them."""
    rows = pool.project(*SIZE).log.rows
    at = next(at for at, row in enumerate(rows) if row.machine == "worker-2" and row.number == 2)
    pool.click(Pane.LOG, at, 5)

    assert place(pool) == "worker-2/2"


def test_filters_and_seconds_hold_in_the_merged_log(pool: Control) -> None:
    """A hidden transition has no row; seconds stand as headings."""
    do(pool, "filter_canceled", "filter_times")

    rows = pool.project(*SIZE).log.rows

    assert "worker-1/3" not in names(pool)
    assert [row.kind for row in rows].count(RowKind.SECOND) == 2


def test_the_window_stays_while_the_cursor_is_inside() -> None:
    """Moving inside the window moves no row; new data at the end moves none either."""
    story = pool_story()
    for _ in range(100):
        story.tellers[1].add("Healthcheck", added=())
    store = Store()
    stream = story.fill(store, live=True)
    taken = len(story.messages)
    control = Control(store)
    control.workspace.filters = Filters(empty=True)
    control.data_arrived()
    control.open_address("mach://worker-1/40")
    do(control, "scope")
    before = names(control)
    do(control, "next_transition")
    assert names(control) == before

    story.tellers[2].add("Healthcheck", added=())
    story.writer.flush()
    for message in story.messages[taken:]:
        store.feed(stream, message)
    control.data_arrived()

    assert names(control) == before


def test_the_wheel_scrolls_the_merged_log() -> None:
    """Scrolling moves the window and not the cursor, and stops at both ends."""
    story = pool_story()
    for _ in range(100):
        story.tellers[1].add("Healthcheck", added=())
    control = Control(story.store())
    control.workspace.filters = Filters(empty=True)
    control.data_arrived()
    control.open_address("mach://pool/1")
    do(control, "scope")
    begin = names(control)
    control.scroll(Pane.LOG, 3)
    assert names(control)[0] == begin[3]
    assert place(control) == "pool/1"
    control.scroll(Pane.LOG, 500)
    assert names(control)[-1] == "worker-1/104"
    control.scroll(Pane.LOG, -500)
    assert names(control) == begin


def test_the_timeline_is_that_of_all_machines(pool: Control) -> None:
    """Its ends are those of all; an error of any machine has a mark, a click goes there."""
    screen = pool.project(*SIZE)
    alone = do(pool, "scope").project(*SIZE)
    do(pool, "scope")
    store = pool.workspace.store
    first, last = store.find("pool"), store.find("worker-1")
    assert first is not None
    assert last is not None

    assert screen.timeline.start_ns == first.time_at(1)
    assert screen.timeline.end_ns == last.time_at(4)
    assert not any(column.has_error for column in alone.timeline.columns)
    at = next(at for at, column in enumerate(screen.timeline.columns) if column.has_error)
    pool.click(Pane.TIMELINE, 0, at + 1)
    assert place(pool) == "worker-2/2"


def test_playing_goes_over_all_machines(pool: Control) -> None:
    """Playing follows the scope and ends at the last transition of all."""
    do(pool, "toggle_play")
    for _ in range(20):
        pool.play_next()

    assert place(pool) == "worker-1/4"


def test_the_list_of_errors_has_time_machine_text_and_place(pool: Control) -> None:
    """Each row has all that is needed to choose; it stands at the present place."""
    pool.open_address("mach://worker-1/4")
    view = pool.occurrences(OccurrenceKind.ERROR)

    assert (view.total, view.machines, view.at) == (1, 1, 0)
    row = view.rows[0]
    assert (row.machine, row.number) == ("worker-2", 2)
    assert (row.text, row.where) == ("ValueError: no file", "io.py:7 in go")


def test_a_row_of_the_list_leads_to_its_transition(pool: Control) -> None:
    """Enter goes there, also with the scope of one machine; back returns."""
    do(pool, "scope")
    pool.occurrences(OccurrenceKind.ERROR)
    pool.open_occurrence(0)
    assert place(pool) == "worker-2/2"

    assert place(do(pool, "back")) == "pool/1"


def test_hits_are_a_list_of_their_own(pool: Control) -> None:
    """The list of hits exists while there is a search in the log."""
    assert OccurrenceKind.HIT not in pool.occurrence_kinds()
    do(pool, "search")
    pool.type_search("README")
    pool.accept_search()

    assert OccurrenceKind.HIT in pool.occurrence_kinds()
    hits = pool.occurrences(OccurrenceKind.HIT)
    assert [f"{row.machine}/{row.number}" for row in hits.rows] == ["worker-2/2", "pool/2"]


def test_a_long_list_shows_the_rows_around_the_present_place() -> None:
    """The list has a limit; what is listed surrounds the place of the reader."""
    story = Story()
    machine = story.machine("busy")
    for _ in range(LISTED_MAX + 500):
        machine.cancel("Ping")
    control = Control(story.store())
    control.data_arrived()
    control.open_address("mach://busy/800")

    view = control.occurrences(OccurrenceKind.CANCELED)

    assert (view.total, len(view.rows)) == (LISTED_MAX + 500, LISTED_MAX)
    assert view.rows[view.at].number == 800


def test_a_removed_machine_of_the_list_is_reported(pool: Control) -> None:
    """A row whose machine is gone leads nowhere, with a message."""
    pool.occurrences(OccurrenceKind.ERROR)
    second = pool.workspace.store.find("worker-2")
    assert second is not None
    pool.workspace.store.remove(second)
    pool.open_occurrence(0)

    assert pool.message == "worker-2 is gone"


def test_chosen_machines_are_the_scope(pool: Control) -> None:
    """With machines chosen, the others are left out; choosing again takes one out."""
    do(pool, "choose_machine")
    pool.open_address("mach://worker-2/1")
    do(pool, "choose_machine")
    pool.show_message("")

    assert names(pool) == ["pool/1", "worker-2/1", "worker-2/2", "pool/2"]
    assert pool.project(*SIZE).log.scope == "2 chosen machines"
    do(pool, "choose_machine")
    assert names(pool) == ["pool/1", "pool/2"]


def test_a_chosen_machine_has_a_mark_in_the_list(pool: Control) -> None:
    """The list of machines shows which ones are the scope."""
    do(pool, "choose_machine")

    rows = draw_machines(pool.project(*SIZE).machines, 30)
    assert [row.text.strip()[:6] for row in rows if "*" in row.text] == ["▸▪S*po"]


def test_the_filter_of_the_list_is_the_scope(pool: Control) -> None:
    """If the list shows some machines, the scope is these, as long as none is chosen."""
    pool.workspace.machine_list.filter_by("worker")
    assert {name[:6] for name in names(pool)} == {"worker"}
    assert pool.project(*SIZE).log.scope == "2 of 3 machines"

    pool.workspace.machine_list.filter_by("nobody")
    assert names(pool) == []
    pool.workspace.machine_list.filter_by("")
    assert pool.project(*SIZE).log.scope == "all 3 machines"


def test_long_rows_of_all_machines_are_wrapped(pool: Control) -> None:
    """`W` breaks long rows here as in the log of one machine; no text is cut."""
    do(pool, "level", "last")
    pool.project(80, 24)
    pool.press("wrap")
    view = pool.project(60, 24).log

    texts = [line.text for line in draw_merged_log(view, 58)]
    assert any("ValueError" in text for text in texts)
    assert not any("…" in text for text in texts)


def test_the_columns_stay_while_the_log_scrolls(pool: Control) -> None:
    """Their widths depend on the machines and not on the rows that are on show."""
    first = pool.project(*SIZE).log
    last = do(pool, "last", "filter_canceled").project(*SIZE).log

    assert (first.name_width, first.number_digits) == (last.name_width, last.number_digits)
    assert (first.name_width, first.hidden, last.hidden) == (8, 0, 1)


def test_bookmarks_of_all_machines_are_marked(pool: Control) -> None:
    """The log and the timeline show them, whatever machine is selected."""
    do(pool, "next_error", "bookmark", "first")
    screen = pool.project(*SIZE)

    marked = [f"{row.machine}/{row.number}" for row in screen.log.rows if row.mark == "b"]
    assert marked == ["worker-2/2"]
    assert len(screen.timeline.bookmarks) == 1


def test_the_end_of_a_machine_has_a_row(pool: Control) -> None:
    """The log shows where a connection was lost, below the last transition of the machine."""
    story = pool_story()
    store = Store()
    stream = story.fill(store, live=True)
    store.close_stream(stream, "the connection was lost")
    control = Control(store)
    control.data_arrived()

    rows = do(control, "scope", "last").project(*SIZE).log.rows

    ends = [row.text for row in rows if row.kind is RowKind.GAP]
    assert len(ends) == 3
    assert ends[-1].startswith("worker-1: ")


def test_a_narrow_screen_names_the_scope_beside_its_tabs(pool: Control) -> None:
    """Where the log has no title, the row of tabs has the scope."""
    assert pool.project(80, 24).tabs.note == "all 3 machines"


def test_the_query_of_the_filter_counts_what_it_hides_in_all_machines(pool: Control) -> None:
    """The title shows how many transitions of all machines a query hides."""
    pool.workspace.refilter(Filters(empty=True, health=True, text="error:yes"))

    assert names(pool) == ["worker-2/2"]
    assert pool.project(*SIZE).filter_line.hidden == 7


def test_the_scope_of_all_can_be_empty() -> None:
    """Without data and with everything hidden, the screen stays whole."""
    empty = Control(Store())
    empty.data_arrived()
    assert not do(empty, "scope", "next_transition", "next_error", "errors").project(*SIZE).failed

    control = Control(files_story().store())
    control.data_arrived()
    control.workspace.refilter(Filters(text="nothing has this"))
    screen = do(control, "scope", "next_transition", "last", "first", "next_hit").project(*SIZE)
    assert not screen.failed
    assert screen.timeline.is_empty
