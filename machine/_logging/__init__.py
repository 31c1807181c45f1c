"""The log of a machine, and words to the program's operator."""
