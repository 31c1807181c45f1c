"""Input of the debugger: turns sockets, files and downloads into messages for the store."""
