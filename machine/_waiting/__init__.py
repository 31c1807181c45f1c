"""Waiting: handles, contexts and deadlines, and their index."""
