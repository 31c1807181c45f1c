"""The way in: sockets, files and downloads become messages in the store."""
