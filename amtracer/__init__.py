"""What leaves the process: records transitions for a debugger or into a session file."""
