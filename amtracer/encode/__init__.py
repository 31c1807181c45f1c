"""Encoding, the sending half of the protocol: turns transitions into messages."""
