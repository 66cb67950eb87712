"""Rules against Lambda pinball: an event that bounces from one function to the next.

Each rule reads a graph and yields findings that say what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from scripts.architecture.model import Flow, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.architecture.model import Edge, Graph

# Source, bus, queue, function, bus, workflow and topic are six hops; a seventh leaves room for a subscriber's queue.
# Each hop can repeat, delay and reorder events, and is one more place to search for a missing one. Split a longer way
# in two, with a bus between them that has an owner.
MOST_HOPS = 7

ON = (Flow.EVENT, Flow.WRITE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule.

    Attributes:
        rule: Name of the rule.
        by: Address of the resource to change.
        message: Description, and what to do.
    """

    rule: str
    by: str
    message: str


def findings(graph: Graph, most_hops: int = MOST_HOPS) -> list[Finding]:
    """Return the findings of all rules, in the order of the rules."""
    return [
        *_loops(graph),
        *_long_ways(graph, most_hops),
        *_calls(graph),
        *_targets_without_dlq(graph),
        *_subscriptions_without_dlq(graph),
        *_consumers_without_dlq(graph),
        *_dlqs_without_alarm(graph),
    ]


def longest_way(graph: Graph) -> list[Edge]:
    """Return the longest way of an event, without loops.

    A hop is one service handing something to another. Calls that a caller of an API waits for do not count.
    """
    ways: dict[str, list[Edge]] = {}
    edges, _ = _without_loops(graph)
    for node in _sorter(edges).static_order():
        before = [edge for edge in edges if edge.target == node]
        ways[node] = max(([*ways[edge.source], edge] for edge in before), key=len, default=[])
    return max(ways.values(), key=len, default=[])


def way_names(graph: Graph, way: list[Edge]) -> str:
    """Return the names of a way's nodes, with arrows between them."""
    return " → ".join(_name(graph, node) for node in [way[0].source, *(edge.target for edge in way)]) if way else ""


def _on(graph: Graph) -> list[Edge]:
    """Return the edges within the plan on which no caller waits."""
    waited_for = graph.callers_side
    return [
        edge
        for edge in graph.edges
        if edge.flow in ON and edge.source not in waited_for and graph.nodes[edge.target].kind is not Kind.OUTSIDE
    ]


def _sorter(edges: list[Edge]) -> TopologicalSorter[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for edge in edges:
        sorter.add(edge.target, edge.source)
    return sorter


def _name(graph: Graph, node: str) -> str:
    found = graph.nodes[node]
    if found.kind is Kind.RULE:
        return f"{graph.nodes[found.bus].label} (rule {found.name or found.label})"
    return found.label if found.kind in (Kind.BUS, Kind.OUTSIDE) else f"{found.kind.value} {found.label}"


def _without_loops(graph: Graph) -> tuple[list[Edge], list[list[Edge]]]:
    """Return the edges without one of each loop, and the loops, each of which begins with that edge.

    A loop is cut at an edge that a role allows, if it has one.
    """
    edges = _on(graph)
    loops: list[list[Edge]] = []
    while True:
        try:
            _sorter(edges).prepare()
        except CycleError as error:
            steps = list(pairwise(error.args[1]))
        else:
            return edges, loops
        loop = [next(edge for edge in edges if (edge.source, edge.target) == step) for step in steps]
        first = next((at for at, edge in enumerate(loop) if edge.flow is Flow.WRITE), 0)
        loop = [*loop[first:], *loop[:first]]
        loops.append(loop)
        edges = [edge for edge in edges if (edge.source, edge.target) != (loop[0].source, loop[0].target)]


def _loops(graph: Graph) -> Iterator[Finding]:
    for loop in _without_loops(graph)[1]:
        yield Finding(
            "loop",
            loop[0].by,
            f"{way_names(graph, loop)}: an event in it never ends. Let {_name(graph, loop[0].source)} write "
            f"elsewhere, or take from {loop[0].by} what it does not need to do.",
        )


def _long_ways(graph: Graph, most: int) -> Iterator[Finding]:
    way = longest_way(graph)
    if len(way) > most:
        yield Finding(
            "hops",
            way[-1].by,
            f"{len(way)} hops, {most} at most: {way_names(graph, way)}. Join steps that always follow each other "
            "in one workflow or function, or end the way at a bus and let another part begin there.",
        )


def _calls(graph: Graph) -> Iterator[Finding]:
    for edge in graph.edges:
        if edge.flow in ON and graph.kinds(edge) == (Kind.FUNCTION, Kind.FUNCTION):
            caller, called = (graph.nodes[node].label for node in (edge.source, edge.target))
            yield Finding(
                "function calls function",
                edge.by,
                f"{caller} may call {called}: it is charged while it waits, and fails when {called} fails. Put a "
                "queue or a bus between them, or let a workflow call both.",
            )


def _targets_without_dlq(graph: Graph) -> Iterator[Finding]:
    for by, edge in (_without_failure(graph, Kind.RULE) | _without_failure(graph, Kind.SCHEDULE)).items():
        yield Finding(
            "target without DLQ",
            by,
            f"an event that {_name(graph, edge.source)} cannot deliver to {_name(graph, edge.target)} is dropped: "
            "after a day of retries, or immediately if a permission is missing. Give the target a dead_letter_config.",
        )


def _subscriptions_without_dlq(graph: Graph) -> Iterator[Finding]:
    for by, edge in _without_failure(graph, Kind.TOPIC).items():
        yield Finding(
            "subscription without DLQ",
            by,
            f"a message of {_name(graph, edge.source)} that {_name(graph, edge.target)} does not accept is lost. "
            "Give the subscription a redrive_policy.",
        )


def _without_failure(graph: Graph, kind: Kind) -> dict[str, Edge]:
    """Return the edges from nodes of a kind that have no dead-letter queue, by the address of their resource."""
    kept = {edge.by for edge in graph.edges if edge.flow is Flow.FAILURE}
    return {
        edge.by: edge
        for edge in graph.edges
        if edge.flow in ON and graph.nodes[edge.source].kind is kind and edge.by not in kept
    }


def _consumers_without_dlq(graph: Graph) -> Iterator[Finding]:
    for edge in graph.edges:
        queue = edge.source
        if edge.flow is Flow.EVENT and graph.kinds(edge) == (Kind.QUEUE, Kind.FUNCTION):
            if queue in graph.dead_letter_queues or graph.of(queue, Flow.FAILURE):
                continue
            yield Finding(
                "queue without DLQ",
                queue,
                f"a message of {_name(graph, queue)} that {_name(graph, edge.target)} cannot handle is received again "
                "until it expires. Give the queue a redrive_policy, with a maxReceiveCount of 5 or more.",
            )


def _dlqs_without_alarm(graph: Graph) -> Iterator[Finding]:
    for queue in sorted(graph.dead_letter_queues - graph.watched):
        yield Finding(
            "DLQ without alarm",
            queue,
            f"no alarm reports messages in {_name(graph, queue)}, and they are deleted after its retention. Add an "
            "alarm on its ApproximateNumberOfMessagesVisible.",
        )
