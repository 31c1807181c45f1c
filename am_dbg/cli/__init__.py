"""The command line: starts the screen, and runs the commands that need none."""
