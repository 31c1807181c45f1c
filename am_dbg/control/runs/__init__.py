"""What the user does when a program starts again, and with the runs that ended."""
