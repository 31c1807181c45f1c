"""The command line: what runs without a screen, and the start of the one that has one."""
