"""An architecture as a graph: who hands what to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BUS = "default bus"


class Kind(Enum):
    """What a node is, by the name that a picture gives it."""

    API = "API Gateway"
    BUCKET = "S3"
    BUS = "EventBridge"
    FUNCTION = "Lambda"
    OUTSIDE = "outside"
    QUEUE = "SQS"
    RULE = "rule"
    SCHEDULE = "EventBridge Scheduler"
    TABLE = "DynamoDB"
    TOPIC = "SNS"
    WORKFLOW = "Step Functions"


class Flow(Enum):
    """How one node hands something to another."""

    EVENT = "event"  # the service does, by itself
    WRITE = "write"  # the node does, and its role's policies allow it
    READ = "read"  # from the node that is read to the one that reads
    FAILURE = "failure"  # what could not be delivered or handled


@dataclass(frozen=True, slots=True)
class Node:
    """A node: a resource, or what lies outside the plan.

    Attributes:
        id: Its address; for what has none, a text that is as good.
        label: What a person would call it.
        name: Its name in AWS, empty where it is not known.
        bus: Of a rule, the id of its bus.
        pattern: Of a rule, the events that it matches; null where they are not known.
    """

    id: str
    kind: Kind
    label: str
    name: str = ""
    bus: str = ""
    pattern: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """Something goes from one node to another.

    Attributes:
        by: The address of the resource that makes it so.
    """

    source: str
    target: str
    flow: Flow
    by: str


@dataclass
class Graph:
    """An architecture.

    A bus has no edges of its own where it has rules: each event goes on from its source to the rules that match it.

    Attributes:
        nodes: By id.
        edges: Each once.
        dead_letter_queues: The ids of the queues that failures end in.
        watched: The ids of queues with an alarm on what rests in them.
        archived: The ids of buses whose events an archive keeps.
        unclear: What the plan does not tell, as sentences.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    dead_letter_queues: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    unclear: list[str] = field(default_factory=list)

    def every(self, *kinds: Kind) -> list[Node]:
        """The nodes of some kinds."""
        return [node for node in self.nodes.values() if node.kind in kinds]

    def to(self, node: str, *flows: Flow) -> list[Edge]:
        """The edges of some flows that lead to a node."""
        return [edge for edge in self.edges if edge.target == node and edge.flow in flows]

    def of(self, node: str, *flows: Flow) -> list[Edge]:
        """The edges of some flows that lead away from a node."""
        return [edge for edge in self.edges if edge.source == node and edge.flow in flows]

    def kinds(self, edge: Edge) -> tuple[Kind, Kind]:
        """What an edge leads from and to."""
        return self.nodes[edge.source].kind, self.nodes[edge.target].kind

    @property
    def schedules_side(self) -> set[str]:
        """The schedules, what nothing else begins, and where its failures alone end: beside the way of an event."""
        beside = {node.id for node in self.every(Kind.SCHEDULE)}
        while True:
            given = {
                node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE, Flow.FAILURE)}
                for node in self.nodes
            }
            more = {node for node, givers in given.items() if givers and givers <= beside} - beside
            if not more:
                return beside
            beside |= more

    @property
    def callers_side(self) -> set[str]:
        """The APIs, and what only they use: a caller waits for it, before anything happens by itself."""
        apis = {node.id for node in self.every(Kind.API)}
        used = {edge.target if edge.flow is not Flow.READ else edge.source for edge in self.edges} - apis
        users = {
            node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE)}
            | {edge.target for edge in self.of(node, Flow.READ)}
            for node in used
        }
        begins = {edge.source for edge in self.edges if edge.flow is Flow.EVENT}
        return apis | {node for node in used - begins - self.dead_letter_queues if users[node] and users[node] <= apis}
