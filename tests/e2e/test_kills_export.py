"""An export is interrupted, terminated or killed at any moment: the old file or the new one.

This happens twice AM_KILLS times (4 by default). The moment is chosen by how often the
unfinished file was seen.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from am_dbg.egress.export import export_session
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from amtracer.files.atomic import part_path
from tests.dbg.histories import HistoryPlayer, stored
from tests.wire.serving import ROOT

KILLS = 2 * int(os.environ.get("AM_KILLS", "4"))
_log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
TRANSITIONS = 40_000
WAIT_S = 60

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 5 * KILLS)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session whose export takes a while."""
    rng = random.Random(1)
    player = HistoryPlayer()
    machines = [player.enter(0, (0, name, 0)) for name in range(3)]
    for _ in range(TRANSITIONS):
        player.transit(rng.choice(machines), [rng.randrange(8) for _ in range(5)])
    player.writer.flush()
    path = tmp_path_factory.mktemp("session") / "in.msgpack.br"
    export_session(stored(player), path)
    return path


def converting(source: Path, target: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "am_dbg", "convert", str(source), str(target)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def looks_until_gone(process: subprocess.Popen[bytes], part: str, looks_max: int) -> int:
    """The number of looks until the unfinished file was renamed, up to a maximum."""
    looks, was_there = 0, False
    for _ in range(WAIT_S * 2_000):
        is_there = os.path.exists(part)
        was_there |= is_there
        looks += is_there
        if looks > looks_max or was_there > is_there or process.poll() is not None:
            return looks
        threading.Event().wait(0.0005)
    pytest.fail("nothing was written")


def test_an_interrupted_export_leaves_the_old_file_or_the_new_one(
    session: Path, tmp_path: Path
) -> None:
    """Never a half file; after a kill the next export replaces the unfinished file."""
    rng = random.Random(KILLS)
    target = tmp_path / "out.msgpack.br"
    part = part_path(str(target))
    process = converting(session, target)
    looks = looks_until_gone(process, part, sys.maxsize)
    assert process.wait(WAIT_S) == 0
    new = target.read_bytes()
    ends = {"old": 0, "new": 0, "left": 0}
    for at in range(KILLS):
        target.write_bytes(b"old")
        process = converting(session, target)
        looks_until_gone(process, part, rng.randrange(looks + 1))
        number = SIGNALS[at % len(SIGNALS)]
        process.send_signal(number)
        process.wait(WAIT_S)

        found = target.read_bytes()
        assert found in (b"old", new)
        ends["new" if found == new else "old"] += 1
        names = set(os.listdir(tmp_path))
        assert names <= {target.name, os.path.basename(part)}
        if number != signal.SIGKILL:
            assert names == {target.name}
        ends["left"] += len(names) - 1
        if len(names) > 1 and at < KILLS - 1:
            os.unlink(part)  # or it would be taken for that of the next one
    _log.info("%s", ends)
    assert ends["old"] > 0
    assert converting(session, target).wait(WAIT_S) == 0

    assert os.listdir(tmp_path) == [target.name]
    assert import_session(Store(), str(target)) == TRANSITIONS
