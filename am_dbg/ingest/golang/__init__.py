"""The protocol of Go programs: turns their sessions and live streams into our messages."""
