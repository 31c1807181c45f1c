"""Output of the debugger: writes what the store holds to files, as lines, or to another debugger."""
