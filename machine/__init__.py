"""A clock-based, relational, multi-state machine library."""

from machine import errors as errors
from machine._automaton import NODES_MAX as NODES_MAX
from machine._clock import *
from machine._enums import *
from machine._machine import Machine as Machine
from machine._serialized import Serialized as Serialized
from machine._state import *
from machine._step import Step as Step
from machine._tracing import Tracer as Tracer
from machine._transition import Event as Event, Transition as Transition
