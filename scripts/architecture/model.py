"""Model of an architecture as a graph."""

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
    """Way in which one node hands something to another."""

    EVENT = "event"  # by the service, automatically
    WRITE = "write"  # by the node, whose role allows it
    READ = "read"  # from the node that is read to the one that reads
    FAILURE = "failure"  # not delivered or not handled


@dataclass(frozen=True, slots=True)
class Node:
    """A resource, or something outside the plan.

    Attributes:
        id: Address of the resource; a text of its own for anything else.
        label: Name for people.
        name: Name in AWS.
        bus: For a rule, the id of its bus.
        pattern: For a rule, the events that it matches.
    """

    id: str
    kind: Kind
    label: str
    name: str = ""
    bus: str = ""
    pattern: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from one node to another.

    Attributes:
        by: Address of the resource that is the reason for it.
    """

    source: str
    target: str
    flow: Flow
    by: str


@dataclass
class Graph:
    """An architecture.

    A bus with rules has no edges: each event goes from its source to the rules that match it.

    Attributes:
        nodes: Nodes by id.
        edges: Edges, each once.
        dead_letter_queues: Ids of the queues that failures end in.
        watched: Ids of the queues with an alarm on the messages in them.
        archived: Ids of the buses with an archive.
        unclear: Sentences about what the plan does not show.
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
        """Return the edges of some flows that lead to a node."""
        return [edge for edge in self.edges if edge.target == node and edge.flow in flows]

    def of(self, node: str, *flows: Flow) -> list[Edge]:
        """Return the edges of some flows that lead away from a node."""
        return [edge for edge in self.edges if edge.source == node and edge.flow in flows]

    def kinds(self, edge: Edge) -> tuple[Kind, Kind]:
        """Return the kinds of an edge's source and target."""
        return self.nodes[edge.source].kind, self.nodes[edge.target].kind

    @property
    def schedules_side(self) -> set[str]:
        """Schedules, and the nodes that only schedules reach."""
        scheduled = {node.id for node in self.every(Kind.SCHEDULE)}
        while True:
            given = {
                node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE, Flow.FAILURE)}
                for node in self.nodes
            }
            more = {node for node, givers in given.items() if givers and givers <= scheduled} - scheduled
            if not more:
                return scheduled
            scheduled |= more

    @property
    def callers_side(self) -> set[str]:
        """APIs, and the nodes that only APIs use: a caller waits for them."""
        apis = {node.id for node in self.every(Kind.API)}
        used = {edge.target if edge.flow is not Flow.READ else edge.source for edge in self.edges} - apis
        users = {
            node: {edge.source for edge in self.to(node, Flow.EVENT, Flow.WRITE)}
            | {edge.target for edge in self.of(node, Flow.READ)}
            for node in used
        }
        begins = {edge.source for edge in self.edges if edge.flow is Flow.EVENT}
        return apis | {node for node in used - begins - self.dead_letter_queues if users[node] and users[node] <= apis}
