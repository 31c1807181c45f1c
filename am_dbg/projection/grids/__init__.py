"""The panes with a column for each state: the rain of one machine or of several, the matrix."""
