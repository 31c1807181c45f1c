"""Why a mutation was refused, and why a state is not active."""
