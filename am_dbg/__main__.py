"""`python -m am_dbg` is `am-dbg`."""

from am_dbg.cli.commands import main

if __name__ == "__main__":
    main()
