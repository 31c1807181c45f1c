"""Transitions: what is carried out, and what handlers and tracers receive of it."""
