"""The sender's thread: takes events from the traced program and sends or writes them."""
