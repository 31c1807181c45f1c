"""A network of peers that forward messages by gossip: more than two hundred machines.

The model: a peer subscribes to topics. Within a topic it keeps a *mesh*: a few other
subscribers that it forwards messages to. So a message reaches all peers, most of them more than
once, and no peer has a list of all others. There is no central server: at its *heartbeat* each
peer replaces the neighbors that it lost.

A peer is a machine with children: `p07-link` goes online and looks for others, `p07-news` is
one topic, made when the peer joins it and disposed when it leaves.

    network ─┬─ p01 ─┬─ p01-link
             │       └─ p01-news ...
             └─ p02 ─── p02-link ...

Pipes lead up and down this tree:

    link   Connecting, Connected, Disconnected  →  peer     Dialing, Online, Offline
    link   Ready                                →  peer     OthersKnown
    link   every error                          →  peer     ErrLink
    peer   Start                                →  link     Start
    peer   Ready                                →  topic    Online
    peer   Ready, and its end                   →  network  PeerReady, PeerLost
    topic  MsgReceived                          →  peer     MsgReceived
    topic  every error                          →  peer     ErrTopic

When a line breaks, the link is no longer `Connected`. So its peer is neither `Online` nor
`Ready`, none of its topics is `Online` or `Joined`, and each topic prunes its mesh.

Between peers there are no pipes. Peers mutate each other with the event of their handler, so
the debugger can follow a message back to its author. A peer may deny what it receives: a message
that it has seen, a neighbor too many, anything while it is offline. Lines break, calls get no
answer, and small peers fail at large messages.

One seed makes everything random, and an agenda counts the time, so every run makes the same
transitions. With `--pace 0` the program does not wait. `AM_LOG` sets the log level.

    AM_DBG_ADDR=1 python examples/pubsub_sim.py                # while am-dbg runs
    AM_DBG_FILE=run.msgpack.br python examples/pubsub_sim.py   # then: am-dbg -i run.msgpack.br
"""

from __future__ import annotations

import argparse
import random
import sched
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import amtracer
import machine as am
from machine import pipes
from machine.states import BasicStatesDef, ConnectedStatesDef

TOPICS = ("news", "music", "chess", "films", "trains", "weather")
MESH_MIN, MESH, MESH_MAX = 2, 3, 5
LARGE_KB, SMALL_PEER_KB = 96, 64
ROUND_S = 3.0
MESSAGES_PER_ROUND, BREAKS_PER_ROUND = 5, 2
OFFLINE_S = 2.0
LEVEL = am.log_level_from_env() or am.LogLevel.CHANGES
Kind = type[am.StatesBase]
Parent = am.Machine | None


class LinkStates(BasicStatesDef, ConnectedStatesDef):
    """The states of a peer's connection to the network."""

    Searching: str = am.state(require="Connected", remove="OthersFound")
    OthersFound: str = am.state(require="Connected", remove=Searching)
    Ready: str = am.state(auto=True, require=["Connected", OthersFound])


class PeerStates(BasicStatesDef):
    """The states of a peer; pipes from its link and its topics drive some of them."""

    Dialing: str
    Online: str = am.state(require=BasicStatesDef.Start)
    Offline: str = am.state(remove=Online)
    OthersKnown: str = am.state(require=Online)
    Ready: str = am.state(auto=True, require=[Online, OthersKnown])
    Joining: str = am.state(multi=True, require=Ready)
    Leaving: str = am.state(multi=True)
    Idle: str = am.state(auto=True, require=Ready, remove="Busy")
    Busy: str = am.state(remove=Idle)
    SendingMsg: str = am.state(multi=True, require=Ready, add=Busy)
    MsgReceived: str = am.state(multi=True)
    ErrLink: str = am.state(require=am.EXCEPTION)
    ErrTopic: str = am.state(require=am.EXCEPTION)


class TopicStates(BasicStatesDef):
    """The states of one topic of one peer."""

    Online: str = am.state(require=BasicStatesDef.Start, add="Joining")
    Joining: str = am.state(require=Online, remove="Joined")
    Joined: str = am.state(require=Online, remove=Joining)
    MeshThin: str = am.state(auto=True, require=Joined, remove="Meshed")
    Meshed: str = am.state(require=Joined, remove=MeshThin)
    Ready: str = am.state(auto=True, require=Meshed)
    Graft: str = am.state(multi=True, require=Joined)
    Prune: str = am.state(multi=True, require=BasicStatesDef.Start)
    MsgReceived: str = am.state(multi=True, require=Joined)


class NetworkStates(am.StatesBase):
    """The states of the network as a whole."""

    Start: str = am.state()
    Round: str = am.state(multi=True, require=Start)
    PeerReady: str = am.state(multi=True)
    PeerLost: str = am.state(multi=True)
    Healthy: str = am.state(auto=True, require=Start, remove="Degraded")
    Degraded: str = am.state(require=Start, remove=Healthy)
    Stopped: str = am.state(remove=[Start, Healthy])


class Agenda:
    """Calls in the order of their times. Time passes only between two calls; `pace` scales it."""

    def __init__(self, pace: float) -> None:
        self._now_s, self._pace = 0.0, pace
        self._due = sched.scheduler(lambda: self._now_s, self._let_pass)
        self.run = self._due.run

    def _let_pass(self, seconds: float) -> None:
        if self._pace:
            time.sleep(seconds * self._pace)
        self._now_s += seconds

    def after(self, delay_s: float, call: Callable[..., object], *args: object) -> None:
        self._due.enter(delay_s, 0, call, args)


@dataclass
class World:
    """Data that all machines share."""

    agenda: Agenda
    rng: random.Random
    peers: dict[str, Peer] = field(default_factory=dict)
    sizes_kb: dict[str, int] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)

    def members(self, topic: str) -> Iterator[Topic]:
        """The peers that can be reached in a topic now."""
        for peer in self.peers.values():
            found = peer.topics.get(topic)
            if found is not None and found.mach.is1("Joined"):
                yield found


class Actor(am.ExceptionHandler):
    """A machine with its handlers."""

    def __init__(self, world: World, states: Kind, id: str, parent: Parent, *tags: str) -> None:
        self.world, self.agenda, self.rng = world, world.agenda, world.rng
        self.mach = am.Machine(None, states, id=id, parent=parent, tags=tags)
        self.mach.set_log_id(False)
        self.mach.set_logger_empty(LEVEL)
        self.mach.bind_handlers(self)

    def later(self, state: str, delay_s: float, call: Callable[[], object]) -> None:
        """Make the call after a delay, unless the state has ended by then."""
        ctx = self.mach.new_state_ctx(state)
        self.agenda.after(delay_s, lambda: ctx.done or call())

    def follow(self, state: str, delay_s: float, next_state: str) -> None:
        """Add the next state after a delay, unless the state has ended by then."""
        self.later(state, delay_s, lambda: self.mach.add1(next_state))


@contextmanager
def noted(*machs: am.Machine) -> Iterator[None]:
    """Log pipes that are made here, whatever the log level is."""
    for mach in machs:
        mach.set_log_level(am.LogLevel.OPS)
    yield
    for mach in machs:
        mach.set_log_level(LEVEL)


class Link(Actor):
    """Handlers of the link of a peer."""

    def __init__(self, world: World, peer: Peer) -> None:
        super().__init__(world, LinkStates, f"{peer.id}-link", peer.mach, "link")
        with noted(self.mach, peer.mach):
            pipes.bind_connected(self.mach, peer.mach, "Offline", "Dialing", "Online")
            pipes.bind_ready(self.mach, peer.mach, "OthersKnown", "OthersKnown")
            pipes.bind_err(self.mach, peer.mach, "ErrLink")
            pipes.bind_start(peer.mach, self.mach)

    def DisconnectedState(self, e: am.Event) -> None:
        """Connect again after a delay; for a peer that was stopped by then this is denied."""
        delay_s = OFFLINE_S if self.mach.tick("Connected") else self.rng.uniform(0.1, 0.5)
        self.follow("Disconnected", delay_s, "Connecting")

    def ConnectingState(self, e: am.Event) -> None:
        self.later("Connecting", self.rng.uniform(0.1, 0.6), self.connect)

    def connect(self) -> None:
        """Connect; one call in eight fails."""
        with self.mach.panic_to_err_state("ErrConnecting"):
            if not self.rng.randrange(8):
                raise ConnectionRefusedError("nobody answers")
            self.mach.add1("Connected")

    def ErrConnectingState(self, e: am.Event) -> None:
        self.mach.add1("Disconnected")

    def ConnectedState(self, e: am.Event) -> None:
        self.mach.remove1("Exception")
        self.mach.add1("Searching")

    def SearchingState(self, e: am.Event) -> None:
        self.follow("Searching", self.rng.uniform(0.2, 0.5), "OthersFound")

    def break_line(self) -> None:
        with self.mach.panic_to_err_state("ErrNetwork"):
            if self.mach.is1("Connected"):
                raise ConnectionResetError("the line broke")

    def ErrNetworkState(self, e: am.Event) -> None:
        self.mach.add1("Disconnecting")

    def DisconnectingState(self, e: am.Event) -> None:
        self.follow("Disconnecting", 0.1, "Disconnected")


class Topic(Actor):
    """Handlers of one topic of one peer."""

    def __init__(self, world: World, peer: Peer, name: str) -> None:
        super().__init__(world, TopicStates, f"{peer.id}-{name}", peer.mach, "topic", name)
        self.peer, self.name = peer, name
        self.mesh: dict[str, Topic] = {}
        self.seen: set[str] = set()
        with noted(self.mach, peer.mach):
            received = pipes.add(self.mach, peer.mach, "MsgReceived")
            self.mach.bind_handlers({"MsgReceivedState": received})
            pipes.bind_err(self.mach, peer.mach, "ErrTopic")
            pipes.bind_ready(peer.mach, self.mach, "Online", "Online")

    def JoiningState(self, e: am.Event) -> None:
        self.follow("Joining", self.rng.uniform(0.1, 0.4), "Joined")

    def JoinedState(self, e: am.Event) -> None:
        self.widen(e)

    def JoinedEnd(self, e: am.Event) -> None:
        """Leave the meshes of all neighbors."""
        for other in self.mesh.values():
            other.mach.ev_add1(e, "Prune", {"peer": self.peer.id})
        self.mesh.clear()

    def widen(self, e: am.Event) -> None:
        """Ask other peers until the mesh is large enough; a busy peer answers later."""
        known = {self.peer.id, *self.mesh}
        others = [one for one in self.world.members(self.name) if one.peer.id not in known]
        for other in self.rng.sample(others, min(len(others), MESH - len(self.mesh))):
            answer = other.mach.ev_add1(e, "Graft", {"peer": self.peer.id})
            if answer is not am.Result.CANCELED:
                self.take_in(e, other)

    def take_in(self, e: am.Event, other: Topic) -> None:
        self.mesh[other.peer.id] = other
        if len(self.mesh) >= MESH_MIN and self.mach.not1("Meshed"):
            self.mach.add1("Meshed")

    def GraftEnter(self, e: am.Event) -> bool:
        return len(self.mesh) < MESH_MAX

    def GraftState(self, e: am.Event) -> None:
        other = self.world.peers[e.args["peer"]].topics.get(self.name)
        if other is not None:
            self.take_in(e, other)

    def PruneState(self, e: am.Event) -> None:
        self.mesh.pop(e.args["peer"], None)
        if len(self.mesh) < MESH_MIN:
            self.mach.remove1("Meshed")

    def HeartbeatState(self, e: am.Event) -> None:
        """Keep the size of the mesh: ask more peers, or drop the oldest neighbor."""
        if self.mach.is1("MeshThin"):
            self.widen(e)
        elif len(self.mesh) > MESH:
            other = self.mesh.pop(next(iter(self.mesh)))
            other.mach.ev_add1(e, "Prune", {"peer": self.peer.id})
        self.mach.remove(["Heartbeat", "Exception"])

    def MsgReceivedEnter(self, e: am.Event) -> bool:
        return e.args["msg"] not in self.seen

    def MsgReceivedState(self, e: am.Event) -> None:
        """Forward the message; a message that is too large is an error."""
        msg: str = e.args["msg"]
        self.seen.add(msg)
        size_kb = self.world.sizes_kb[msg]
        if self.peer.is_small and size_kb > SMALL_PEER_KB:
            raise ValueError(f"a message of {size_kb} kB, {SMALL_PEER_KB} is the most")
        for other in self.mesh.values():
            if other.peer.id != e.args.get("by"):
                self.agenda.after(self.rng.uniform(0.02, 0.2), self.pass_on, e, other, msg)

    def pass_on(self, e: am.Event, other: Topic, msg: str) -> None:
        """Send a message to another peer, and count whether it is accepted."""
        answer = other.mach.ev_add1(e, "MsgReceived", {"msg": msg, "by": self.peer.id})
        self.world.tally["refused" if answer is am.Result.CANCELED else "passed on"] += 1


class Peer(Actor):
    """Handlers of one peer."""

    def __init__(self, world: World, network: am.Machine, number: int) -> None:
        self.id, self.is_small = f"p{number:02}", number % 4 == 0
        size = "small" if self.is_small else "large"
        super().__init__(world, PeerStates, self.id, network, "peer", size)
        self.wanted = world.rng.sample(TOPICS, world.rng.choice([3, 3, 4, 4]))
        self.topics: dict[str, Topic] = {}
        self.link = Link(world, self)
        with noted(self.mach, network):
            ready = pipes.add(self.mach, network, "Ready", "PeerReady")
            lost = pipes.add(self.mach, network, "Ready", "PeerLost")
            self.mach.bind_handlers({"ReadyState": ready, "ReadyEnd": lost})

    def ReadyState(self, e: am.Event) -> None:
        """Join the topics that were not joined before; the others continue by themselves."""
        for topic in self.wanted:
            if topic not in self.topics:
                self.mach.add1("Joining", {"topic": topic})

    def JoiningEnter(self, e: am.Event) -> bool:
        return e.args["topic"] not in self.topics

    def JoiningState(self, e: am.Event) -> None:
        name = e.args["topic"]
        topic = self.topics[name] = Topic(self.world, self, name)
        topic.mach.ev_add(e, ["Start", "Online"])

    def LeavingEnter(self, e: am.Event) -> bool:
        return e.args["topic"] in self.topics

    SendingMsgEnter = LeavingEnter

    def LeavingState(self, e: am.Event) -> None:
        """Stop the topic, so that it leaves its mesh, and dispose it later."""
        topic = self.topics.pop(e.args["topic"])
        topic.mach.ev_remove1(e, "Start")
        self.agenda.after(0.5, self.dispose, topic)

    def dispose(self, topic: Topic) -> None:
        with noted(self.mach):
            topic.mach.dispose_force()

    def SendingMsgState(self, e: am.Event) -> None:
        self.world.tally["sent"] += 1
        self.topics[e.args["topic"]].mach.ev_add1(e, "MsgReceived", {"msg": e.args["msg"]})

    def HeartbeatState(self, e: am.Event) -> None:
        """Clear errors, and end the work."""
        self.mach.remove(["Heartbeat", "Busy", "Exception"])

    def beat(self) -> None:
        for mach in (self.mach, *(topic.mach for topic in self.topics.values())):
            mach.add1("Heartbeat")


class Network(Actor):
    """Handlers of the machine that starts the peers and gets their reports."""

    def __init__(self, world: World, peers: int, rounds: int) -> None:
        super().__init__(world, NetworkStates, "network", None)
        self.rounds = rounds
        amtracer.dbg_env(self.mach)
        for number in range(1, peers + 1):
            peer = Peer(world, self.mach, number)
            world.peers[peer.id] = peer

    def StartState(self, e: am.Event) -> None:
        for place, peer in enumerate(self.world.peers.values()):
            self.agenda.after(place * 0.05, peer.mach.ev_add1, e, "Start")
        for number in range(1, self.rounds + 1):
            self.agenda.after(number * ROUND_S, self.mach.add1, "Round", {"round": number})
        self.agenda.after((self.rounds + 1) * ROUND_S, self.mach.add1, "Stopped")

    def RoundState(self, e: am.Event) -> None:
        """Spread heartbeats, messages, broken lines and a change of topic over a round."""
        peers = list(self.world.peers.values())
        acts = [peer.beat for peer in peers]
        acts += [self.publish] * MESSAGES_PER_ROUND + [self.change_mind]
        acts += [peer.link.break_line for peer in self.rng.choices(peers, k=BREAKS_PER_ROUND)]
        for act in acts:
            self.agenda.after(self.rng.uniform(0, ROUND_S), act)

    def publish(self) -> None:
        peer = self.rng.choice(list(self.world.peers.values()))
        msg = f"m{len(self.world.sizes_kb) + 1:03}"
        self.world.sizes_kb[msg] = LARGE_KB if self.rng.randrange(4) == 0 else 2
        peer.mach.add1("SendingMsg", {"msg": msg, "topic": self.rng.choice(peer.wanted)})

    def change_mind(self) -> None:
        """Let a random peer leave one topic and join another."""
        peer = self.rng.choice(list(self.world.peers.values()))
        old = self.rng.choice(peer.wanted)
        new = self.rng.choice([topic for topic in TOPICS if topic not in peer.wanted])
        peer.wanted[peer.wanted.index(old)] = new
        peer.mach.add1("Leaving", {"topic": old})
        peer.mach.add1("Joining", {"topic": new})

    def PeerReadyState(self, e: am.Event) -> None:
        """The network is degraded while more than one peer in ten is missing."""
        ready = sum(peer.mach.is1("Ready") for peer in self.world.peers.values())
        if (ready < 0.9 * len(self.world.peers)) is self.mach.not1("Degraded"):
            self.mach.toggle1("Degraded")

    PeerLostState = PeerReadyState

    def StoppedState(self, e: am.Event) -> None:
        for peer in self.world.peers.values():
            peer.mach.ev_remove1(e, "Start")


def run(peers: int = 40, rounds: int = 12, pace: float = 0.0, seed: int = 5) -> World:
    """Run a network for some rounds."""
    world = World(Agenda(pace), random.Random(seed))
    network = Network(world, peers, rounds)
    network.mach.add1("Start")
    world.agenda.run()
    assert network.mach.is1("Stopped")
    return world


def main() -> None:
    parser = argparse.ArgumentParser(description="A network of peers that gossip")
    parser.add_argument("--peers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--pace", type=float, default=1.0, help="0 does not wait")
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    tally = run(asked.peers, asked.rounds, asked.pace, asked.seed).tally
    print(", ".join(f"{count} messages {what}" for what, count in tally.items()))


if __name__ == "__main__":
    main()
