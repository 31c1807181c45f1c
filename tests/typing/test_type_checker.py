"""What a type checker accepts, refuses and reveals.

The programs in `programs` are those of a user. A line that ends in `# refused: CODE` has to be
an error with this code, or with these codes. One that ends in `# reveals: TYPE` has this type, and
every other line is right. One run of mypy over all of them, strict and without the project's
settings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted((ROOT / "tests" / "typing" / "programs").glob("*.py"))

EXPECTED = re.compile(r"# (refused|reveals): (.+?)(?:  # noqa.*)?$")
ERROR = re.compile(r"^(.+?):(\d+): error: (.+)  \[([\w-]+)\]$")
REVEALED = re.compile(r'^(.+?):(\d+): note: Revealed type is "(.+)"$')
MODULE = re.compile(r"\b[a-z_]\w*(?:\.\w+)*\.(?=[A-Z])")

Reported = dict[int, list[str]]
"""What is said about each line of a program."""


def expected(program: Path) -> Reported:
    reported: Reported = {}
    for number, line in enumerate(program.read_text(encoding="utf-8").splitlines(), 1):
        found = EXPECTED.search(line)
        if found is not None:
            parts = found[2].split(", ") if found[1] == "refused" else [found[2]]
            reported[number] = [f"{found[1]}: {part}" for part in parts]
    return reported


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reported]:
    """What mypy says, by program and line; names of types without their modules."""
    cache = tmp_path_factory.mktemp("mypy")
    settings = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *settings, *map(str, PROGRAMS)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    reported: dict[str, Reported] = {program.name: {} for program in PROGRAMS}
    for line in done.stdout.splitlines():
        error, revealed = ERROR.match(line), REVEALED.match(line)
        if error is not None:
            name, number, text = error[1], error[2], f"refused: {error[4]}"
        elif revealed is not None:
            name, number, text = revealed[1], revealed[2], f"reveals: {MODULE.sub('', revealed[3])}"
        else:
            continue
        reported[Path(name).name].setdefault(int(number), []).append(text)
    return reported


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_type_checker_sees_what_users_mean(program: Path, answers: dict[str, Reported]) -> None:
    """Right lines pass, wrong ones are refused where they are wrong, types are the exact ones."""
    assert answers[program.name] == expected(program)


def test_programs_have_right_lines_and_wrong_ones() -> None:
    """A program without a wrong line would pass although nothing is checked."""
    kinds = {
        (program.stem, text.partition(":")[0])
        for program in PROGRAMS
        for reported in expected(program).values()
        for text in reported
    }

    assert kinds == {
        (program.stem, kind) for program in PROGRAMS for kind in ("refused", "reveals")
    }
