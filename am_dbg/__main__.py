"""`python -m am_dbg` is `am-dbg`."""

from am_dbg.cli import main

if __name__ == "__main__":
    main()
