"""The door for Go programs: their sessions and their live streams become our messages."""
