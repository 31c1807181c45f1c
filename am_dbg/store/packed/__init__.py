"""How chunks and definitions are written in a session file of version 3: values to bytes and back.

Everything here is a pure function of its arguments. A column is checked where it is read: its
length, and whether its values are in range. Every fault is a `WireError`.
"""
