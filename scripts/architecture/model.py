"""An architecture as a graph: which resource sends what to which."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BUS = "default bus"


class Kind(Enum):
    """Kind of a node, with its name in diagrams."""

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
    """Kind of an edge: how a node sends something to another."""

    EVENT = "event"  # the service does it automatically
    WRITE = "write"  # the node does, and its role's policies allow it
    READ = "read"  # from the node that is read to the one that reads
    FAILURE = "failure"  # what could not be delivered or handled


@dataclass(frozen=True, slots=True)
class Node:
    """A node: a resource, or what lies outside the plan.

    Attributes:
        id: Its address; for what has none, a text that is as good.
        label: Readable name.
        name: Its name in AWS, empty where it is not known.
        bus: Id of a rule's bus.
        pattern: Events that a rule matches; None if unknown.
    """

    id: str
    kind: Kind
    label: str
    name: str = ""
    bus: str = ""
    pattern: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """A flow from one node to another.

    Attributes:
        by: Address of the resource that defines it.
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
        watched: Ids of queues with an alarm on their waiting messages.
        archived: The ids of buses whose events an archive keeps.
        unclear: Questions that the plan does not answer, as sentences.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    dead_letter_queues: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    unclear: list[str] = field(default_factory=list)

    def every(self, *kinds: Kind) -> list[Node]:
        """Return the nodes of some kinds."""
        return [node for node in self.nodes.values() if node.kind in kinds]

    def to(self, node: str, *flows: Flow) -> list[Edge]:
        """Return the edges of some flows to a node."""
        return [edge for edge in self.edges if edge.target == node and edge.flow in flows]

    def of(self, node: str, *flows: Flow) -> list[Edge]:
        """Return the edges of some flows from a node."""
        return [edge for edge in self.edges if edge.source == node and edge.flow in flows]

    def kinds(self, edge: Edge) -> tuple[Kind, Kind]:
        """Return the kinds of an edge's source and target."""
        return self.nodes[edge.source].kind, self.nodes[edge.target].kind

    @property
    def schedules_side(self) -> set[str]:
        """Schedules, nodes that only they start, and queues for their failures only: not part of an event's path."""
        side = {node.id for node in self.every(Kind.SCHEDULE)}
        while True:
            given = {
                node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE, Flow.FAILURE)}
                for node in self.nodes
            }
            more = {node for node, givers in given.items() if givers and givers <= side} - side
            if not more:
                return side
            side |= more

    @property
    def callers_side(self) -> set[str]:
        """APIs and the resources that only they use: synchronous requests of a caller."""
        apis = {node.id for node in self.every(Kind.API)}
        used = {edge.target if edge.flow is not Flow.READ else edge.source for edge in self.edges} - apis
        users = {
            node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE)}
            | {edge.target for edge in self.of(node, Flow.READ)}
            for node in used
        }
        begins = {edge.source for edge in self.edges if edge.flow is Flow.EVENT}
        return apis | {node for node in used - begins - self.dead_letter_queues if users[node] and users[node] <= apis}
