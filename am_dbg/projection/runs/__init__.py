"""The runs of programs, and the list of machines with a heading for each run."""
