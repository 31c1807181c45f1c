"""The tables of a segment: its shapes, its texts, and a cache of decoded shapes."""
