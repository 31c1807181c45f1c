"""What goes wrong again and again is reported once."""

from __future__ import annotations

from am_dbg.log_once import OUTAGES_MAX, QUIET_S, Outages


def test_an_outage_begins_once() -> None:
    """As long as it goes on, however long, it is the same one; after a silence it is another."""
    outages = Outages()
    moments = [0.0, QUIET_S, 2 * QUIET_S, 3 * QUIET_S + 0.1]

    assert [outages.begins("a", now) for now in moments] == [True, False, False, True]


def test_outages_are_kept_apart() -> None:
    """Each key has its own."""
    outages = Outages()

    assert outages.begins("a", 0)
    assert outages.begins("b", 0)
    assert not outages.begins("a", 1)


def test_only_so_many_outages_are_remembered() -> None:
    """At the limit all are known; one more has the one that was quiet longest forgotten."""
    outages = Outages()
    assert all(outages.begins(key, 0) for key in range(OUTAGES_MAX))
    assert not outages.begins(0, 1)
    assert outages.begins("one more", 1)

    assert not outages.begins(0, 2)
    assert outages.begins(1, 2)
