"""Colours that can be read on every terminal: contrast, depth, light or dark ground."""
