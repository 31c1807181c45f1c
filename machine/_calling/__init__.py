"""Calling handlers: their outcomes, threads, tasks and errors."""
