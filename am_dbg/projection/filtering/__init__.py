"""The filters that are typed: their words for machines, and the line in which they are typed."""
