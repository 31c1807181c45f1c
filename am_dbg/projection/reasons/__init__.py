"""Reasons: why a state changed, why it is not active, which error a transition has."""
