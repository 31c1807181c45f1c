"""Addresses (`mach://ID/PLACE/STEP`): the one grammar for command line, `g`, links and pastes.

- `mach://ID`, `mach://ID/PLACE`, `mach://ID/PLACE/STEP`; the scheme may be left out.
- A place names a transition, see `am_dbg.projection.addresses.places`. An export takes a range too.
- A step counts from 1. Go programs log `ID/TRANSITION/TIME`, so where they have no such step the
  transition is meant.
- When several machines have one id, a key means the machine of that key, and the id of a
  transition means the newest machine that has it.

An id may hold anything, slashes and spaces too. So an address is first taken as it is written,
then without what may surround it, and the machine with the longest id that fits is meant. A
machine is found by its id, then by its name as outputs show it, with escapes in it. `resolve`
finds what `address_of` writes.
"""

__all__: list[str] = []
