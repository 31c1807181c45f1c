"""Prints the lowest allowed version of each dependency, as constraints for pip."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

LOWEST = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\w.]+)")


def lowest(path: Path) -> list[str]:
    """One line for each dependency; one without a lowest version is an error."""
    given = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    found = [LOWEST.match(line) for line in given]
    if None in found:
        raise SystemExit(f"{path}: write a lowest version (>=) for each of {', '.join(given)}")
    return [f"{match['name']}=={match['version']}" for match in found if match]


if __name__ == "__main__":
    print("\n".join(lowest(Path(sys.argv[1]))))
