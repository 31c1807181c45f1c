"""The queue of a machine and the transitions that carry out its mutations."""
