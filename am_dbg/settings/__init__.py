"""What the debugger keeps beside sessions: its version, the configuration, the state directory."""
