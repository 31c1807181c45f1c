"""Every limit of the wire and of session files, by name.

Received data is untrusted, so readers check a limit before they allocate memory. Senders cut,
drop and count values over a limit, because readers would refuse them.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# Frames and files.
WIRE_FRAME_BYTES_MAX = 1 * MIB
"""Body of one frame on a connection."""
FILE_FRAME_BYTES_MAX = 8 * MIB
"""Body of one frame in a session file."""
BUNDLE_MAX = 4_096
"""Messages in one frame."""
BUNDLE_BYTES = 32 * KIB
"""Size at which a sender ends a bundle."""
MAGIC_BYTES_MAX = 32
"""Body of the first frame; so lengths of other protocols are refused at once."""
SESSION_BYTES_MAX = 1 * GIB
"""A session file after decompression; readers take another value as an option."""
INFLATE_CALL_BYTES_MAX = 4 * MIB
"""Bytes that one call of the decompressor may return."""

# Bodies.
NESTING_MAX = 6
"""Arrays within arrays, the body itself included."""
TEXT_BYTES_MAX = 64 * KIB
"""One text (a log line, a name, an id) in UTF-8; a sender cuts longer ones with a mark."""
INTEGER_MAX = 2**63 - 1
"""Ticks, times and durations; their lower bound is 0, for times minus this minus 1."""
SMALL_MAX = 255
"""Types, relations, flags and log levels."""

# Machines and schemas.
STATES_MAX = 4_096
"""States of one schema."""
SCHEMAS_MAX = 65_536
"""Schemas of one stream."""
GROUPS_MAX = 256
"""Groups of a state."""
TAGS_MAX = 1_024
"""Tags of one machine, and of one state."""
PROCESS_FACTS_MAX = 256
"""Facts in a hello."""
TOKEN_BYTES_MAX = 1 * KIB
"""The token in a hello."""
UNIT_NS_MAX = 1_000_000_000
"""Nanoseconds in which a machine's times and durations count."""
MACHINES_PER_CONNECTION_MAX = 10_000
MACHINES_PER_SERVER_MAX = 100_000
CONNECTIONS_MAX = 1_000

# The dictionary of one segment.
SHAPES_MAX = 65_536
STRINGS_MAX = 65_536
LINE_SETS_MAX = 65_536
ARG_SETS_MAX = 65_536
SEGMENT_TEXT_BYTES_MAX = 16 * MIB
"""All texts defined in one segment."""
DICTIONARY_START = 4_096
"""Entries of each kind in a sender's dictionary at first; doubled while segments are too short."""
TRANSITION_TEXT_BYTES_MAX = 1 * MIB
"""Text of one set of log lines, or of the arguments, of one transition, as sent."""
SEGMENT_ROWS_MAX = 250_000
"""Transitions after which a sender begins a new segment; debuggers drop whole segments."""

# One shape, one transition.
STEPS_MAX = 4_096
"""Steps of a shape; a sender leaves out the rest."""
GROWTH_MAX = 2**31
"""Tick growth of one state in one transition, at least 1."""
LINES_MAX = 1_024
"""Log lines of one transition; a sender reports how many it left out."""
ARGS_MAX = 256
"""Arguments of one transition."""
HANDLERS_MAX = 4_096
"""Timed handler calls of one transition."""

# A machine after its last transition.
LATER_LINES_MAX = 1_024
"""Log lines kept of a machine after its last transition, by a reader."""
LATER_BYTES_MAX = 256 * KIB
"""Text of these lines."""
OPEN_WORK_MAX = 64
"""Waiters, contexts, deadlines and tasks of one machine that are sent; the rest is counted."""
OPEN_TEXT_BYTES_MAX = 256
"""One text of an item of open work."""

# History between two debuggers.
PIECE_BYTES_MAX = 64 * KIB
"""Bytes of a record in one message."""
RECORD_SEGMENTS_MAX = 65_536
"""Segments of the records of a stream."""

# Batches and the sender.
BATCH_ROWS_MAX = 4_096
"""Transitions in one batch that a reader accepts."""
BATCH_ROWS = 1_024
"""Transitions in one batch that a sender makes, of all machines together."""
BATCH_BYTES_MAX = 256 * KIB
"""Estimated size at which a sender ends a batch before it is full."""
BATCH_AGE_S_MAX = 0.02
"""Seconds for which a sender holds a batch that is not full."""
FILE_BATCH_AGE_S_MAX = 0.25
"""The same for a file; larger batches make smaller files."""
SENDER_QUEUE_MAX = 65_536
"""Transitions that wait for the sender thread; the oldest are dropped first, counted."""
