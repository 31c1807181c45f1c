"""The sending half of the protocol: transitions become messages, repeats become numbers."""
