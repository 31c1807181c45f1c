"""`am-dbg`, the terminal debugger: live clients, recorded sessions, time travel."""

__all__: list[str] = []
