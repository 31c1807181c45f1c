"""The line of filters: a query hides transitions, words hide machines, and S sorts those."""

from __future__ import annotations

import pytest

from am_dbg.control import Control
from am_dbg.control.start import StartOptions
from am_dbg.drawing.filters import draw_filters
from am_dbg.drawing.layout import Pane
from am_dbg.drawing.log import log_title_note
from am_dbg.drawing.machines import machines_title_note
from am_dbg.projection.bars import Playback
from am_dbg.store import Store
from tests.screens.driving import at, do, number
from tests.screens.stories import Story


def filtered(control: Control, text: str) -> Control:
    """Type a filter, and keep it."""
    do(control, "filter_query")
    control.type_search(text)
    control.accept_search()
    control.project(160, 45)
    return control


def log_numbers(control: Control) -> list[int]:
    """The transitions that the log shows."""
    return [row.number for row in control.project(160, 45).log.rows if row.entry]


def title(control: Control) -> str:
    """The note in the title of the log."""
    screen = control.project(160, 45)
    return log_title_note(screen.log, screen.filter_line)


def bar(control: Control) -> str:
    """The text of the filter bar."""
    screen = control.project(160, 45)
    return draw_filters(screen.filters, 116, filter_line=screen.filter_line).text


def test_a_query_hides_what_it_does_not_find(control: Control) -> None:
    """The log, the rain and the timeline use what is left; the title counts what is hidden."""
    filtered(control, "error:yes")

    assert log_numbers(control) == [13]
    assert title(control) == "changes · error:yes hides 12 · 1 hidden"
    assert "F error:yes hides 12" in bar(control)


def test_a_filter_works_while_it_is_typed(control: Control) -> None:
    """The place is the one nearest to where the line was opened, whatever was typed between."""
    do(at(control, 12), "filter_query")
    for text in ("st", "state:", "state:Ping"):
        control.type_search(text)
        assert control.project(160, 45).filter_line.shown >= len(log_numbers(control))

    assert number(control) in log_numbers(control)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("sta", ""),
        ("error:yes -sta", "error:yes"),
        ("error:yes state:Pin", "error:yes"),
        ("error:yes state:Ping", "error:yes state:Ping"),
        ("longer:5", ""),
        ("handler:PingSt", ""),
        ("handler:PingState", "handler:PingState"),
        ("timeout", "timeout"),
    ],
)
def test_a_word_that_is_not_finished_hides_nothing_yet(
    control: Control, text: str, query: str
) -> None:
    """The begin of a key or of a name would hide everything until the next letter."""
    do(control, "filter_query")
    control.type_search(text)
    assert control.project(160, 45).filter_line.query == query

    control.accept_search()
    assert control.workspace.filters.text == text


def test_after_a_key_the_names_of_the_machine_are_listed(control: Control) -> None:
    """Those with the letters typed so far."""
    do(control, "filter_query")

    for text, names in (("state:pro", "ProcessingFile FileProcessed"), ("handler:pingE", "PingE")):
        control.type_search(text)
        assert names in bar(control)


def test_escape_brings_back_the_filter_and_the_place_from_before(control: Control) -> None:
    """Nothing of what was typed stays."""
    do(at(control, 6), "filter_query")
    control.type_search("error:yes")

    control.press("escape")

    assert (number(control), control.workspace.filters.text) == (6, "")
    assert not control.modes.is_filtering


def test_an_empty_line_ends_the_filter(control: Control) -> None:
    """The line opens with the query in it, so it can be changed or emptied."""
    filtered(control, "error:yes")
    assert do(control, "filter_query").project(160, 45).filter_line.text == "error:yes"

    control.type_search("")
    control.accept_search()

    assert title(control) == "changes · f filters · 1 hidden"


def test_while_a_query_is_typed_its_row_has_what_may_follow(control: Control) -> None:
    """A key that does not exist is reported with the nearest one."""
    do(control, "filter_query")
    control.type_search("acc")
    assert "accepted:no" in bar(control)

    control.type_search("stat:Ready")
    assert "no key stat: (did you mean state:)" in bar(control)
    control.accept_search()
    assert control.message == "no key stat: (did you mean state:)"


def test_a_search_reports_a_key_that_does_not_exist(control: Control) -> None:
    """It looks for the text then."""
    do(control, "search")
    control.type_search("stat:Ready")

    assert "no hits" in bar(control)
    assert "no key stat: (did you mean state:)" in bar(control)


def test_following_goes_on_with_the_last_transition_that_passes(control: Control) -> None:
    """A filter does not end the mode."""
    control.modes.follow()
    filtered(control, "state:ProcessingFile")

    assert control.modes.playback is Playback.TAIL
    assert number(control) == log_numbers(control)[-1]


def three_machines() -> Store:
    """Three machines: one with a tag, one with an error, one with the most transitions."""
    story = Story()
    story.machine("pool", tags=("db",)).add("Start")
    failing = story.machine("worker-2", parent="pool")
    failing.add("Start")
    failing.add("Exception")
    busy = story.machine("worker-10", parent="pool")
    for state in ("Start", "Ready", "Ping"):
        busy.add(state)
    return story.store()


@pytest.fixture
def crowd() -> Control:
    """A control with the list of three machines in focus, at the pool."""
    control = Control(three_machines(), start=StartOptions(machine="pool"))
    control.data_arrived()
    control.project(160, 45)
    control.focus_on(Pane.MACHINES)
    return control


def listed(control: Control) -> list[str]:
    """The machines of the list, children with a space for each parent."""
    return [f"{' ' * row.depth}{row.key}" for row in control.project(160, 45).machines.rows]


def test_a_query_that_nothing_passes_here_names_machines_where_something_does(
    crowd: Control,
) -> None:
    """The reader learns where to look."""
    crowd.focus_on(Pane.LOG)

    filtered(crowd, "error:yes")
    assert crowd.message == "nothing passes here, but in worker-2 (A shows all)"
    filtered(crowd, "state:Nobody")
    assert crowd.message == "no transition of any machine passes the query"


@pytest.mark.parametrize(
    ("text", "machines"),
    [
        ("work", ["worker-2", "worker-10"]),
        ("WORK", []),
        ("#d", ["pool", " worker-2", " worker-10"]),
        ("#db -worker", ["pool"]),
        ("errors", ["worker-2"]),
        ("-errors", ["pool", " worker-10"]),
        ("connected", []),
        ("disconnected 10", ["worker-10"]),
        ("group:Jobs", []),
        ('"errors"', []),
    ],
)
def test_the_list_of_machines_is_filtered_by_words(
    crowd: Control, text: str, machines: list[str]
) -> None:
    """A machine whose parent is hidden stands without a branch."""
    assert listed(filtered(crowd, text)) == machines


def test_the_title_of_the_machines_has_their_sort_and_filter(crowd: Control) -> None:
    """Without room the filter is shortened first."""
    filtered(do(crowd, "sort_machines"), "worker")
    view = crowd.project(160, 45).machines

    assert machines_title_note(view, 60) == "F worker by errors 2/3"
    notes = [machines_title_note(view, width) for width in (32, 29, 24, 17)]
    assert notes == ["F by errors 2/3", "by errors 2/3", "by errors", "2/3"]


def test_machines_are_sorted_in_turn(crowd: Control) -> None:
    """By errors, activity, the newest transition, the name, and below their parents again."""
    orders = [listed(do(crowd, "sort_machines")) for _ in range(5)]

    assert orders == [
        ["worker-2", "pool", "worker-10"],
        ["worker-10", "worker-2", "pool"],
        ["worker-10", "worker-2", "pool"],
        ["pool", "worker-2", "worker-10"],
        ["pool", " worker-2", " worker-10"],
    ]


def test_the_selected_machine_stays_when_the_filter_hides_it(crowd: Control) -> None:
    """Down goes to the first one of the list."""
    filtered(crowd, "worker")
    assert crowd.workspace.track is crowd.workspace.store.find("pool")

    assert do(crowd, "down").workspace.track is crowd.workspace.store.find("worker-2")


def test_a_word_that_machines_do_not_have_is_reported(crowd: Control) -> None:
    """With the one that was probably meant."""
    filtered(crowd, "grop:Jobs")

    assert crowd.message == "machines have no key grop: (did you mean group:)"


def test_escape_brings_back_the_filter_of_the_machines(crowd: Control) -> None:
    """The line of the machines changes no filter of transitions."""
    do(crowd, "filter_query")
    crowd.type_search("errors")
    assert listed(crowd) == ["worker-2"]

    crowd.press("escape")

    assert listed(crowd) == ["pool", " worker-2", " worker-10"]
    assert crowd.workspace.filters.text == ""
