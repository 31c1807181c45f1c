"""The log of a machine, and messages to the program's operator."""
