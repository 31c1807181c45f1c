"""The queue, and the transitions that it is worked off by."""
