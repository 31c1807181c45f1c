"""Reports of the open work of a machine: waiters, contexts, deadlines and tasks.

A report holds from the transition after which it was sent until the next report. A limited
number of reports, the newest ones, is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from amtracer.wire.messages import OpenWorkItem

REPORTS_MAX = 64
"""The most reports of open work that are kept of one machine."""
OPEN_BYTES_MAX = 256 * 1024
"""Memory that they may take together."""

_WORK_BYTES = 400


class OpenWorkReport(NamedTuple):
    """The open work of a machine after transition `number`; `more` counts what is not listed."""

    number: int
    work: tuple[OpenWorkItem, ...] = ()
    more: int = 0

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return _WORK_BYTES * (1 + len(self.work))


class OpenWorkReports:
    """The newest reports of one machine, in order; one thread writes, any thread reads.

    `total` counts all reports that ever came.
    """

    __slots__ = ("_reports", "size", "total")

    def __init__(self) -> None:
        self._reports: tuple[OpenWorkReport, ...] = ()
        self.total = 0
        self.size = 0

    @property
    def newest(self) -> OpenWorkReport | None:
        """The last report, None before the first."""
        reports = self._reports
        return reports[-1] if reports else None

    def at(self, number: int) -> OpenWorkReport | None:
        """The report that holds after a transition; None if there is none."""
        for report in reversed(self._reports):
            if report.number <= number:
                return report
        return None

    def beyond(self, total: int) -> Sequence[OpenWorkReport]:
        """The reports that came after the first `total`."""
        count = self.total - total
        return self._reports[-count:] if count > 0 else ()

    def add(self, report: OpenWorkReport) -> None:
        """Add a report and drop old ones."""
        kept = [*self._reports, report][-REPORTS_MAX:]
        size = sum([one.size for one in kept])
        while size > OPEN_BYTES_MAX and len(kept) > 1:
            size -= kept.pop(0).size
        self._reports, self.size = tuple(kept), size
        self.total += 1
