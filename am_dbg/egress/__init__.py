"""The way out: what the store holds, as files, as lines, or to another debugger."""
