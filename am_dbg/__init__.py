"""The terminal debugger `am-dbg`: live clients, recorded sessions, time travel."""

__all__: list[str] = []
