"""Runs the command `am-dbg` for `python -m am_dbg`."""

from am_dbg.cli.commands import main

if __name__ == "__main__":
    main()
