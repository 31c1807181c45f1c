"""Output of the debugger: writes the store to files, as lines, or to another debugger."""
