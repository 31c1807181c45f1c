"""Short texts of values, made without running a line of the host's code."""
