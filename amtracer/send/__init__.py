"""The sender's thread: takes events out of the host's way and brings them out."""
