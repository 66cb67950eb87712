"""Mermaid diagrams: escaped labels, unique ids, and what each of the two diagrams shows."""

from __future__ import annotations

from scripts.architecture.mermaid import mermaid
from scripts.architecture.model import Edge, Flow, Graph, Kind, Node


def graph(*labels: str) -> Graph:
    """Return queues, each of which hands on to the next."""
    nodes = {str(number): Node(str(number), Kind.QUEUE, label, label) for number, label in enumerate(labels)}
    edges = [Edge(str(number), str(number + 1), Flow.EVENT, "by") for number in range(len(labels) - 1)]
    return Graph(nodes, edges)


def test_characters_of_mermaid_are_escaped() -> None:
    drawn = mermaid(graph('a "quoted" <b>|#1', "end", "graph"))
    assert '[/"SQS a #quot;quoted#quot; #lt;b#gt;#124;#35;1"/]' in drawn
    assert 'end_[/"SQS end"/]\n  end_ --> graph_[/"SQS graph"/]' in drawn


def test_nodes_with_similar_labels_have_own_ids() -> None:
    assert 'a_b[/"SQS a b"/]\n  a_b --> a_b_2[/"SQS a-b"/]' in mermaid(graph("a b", "a-b"))


def test_node_without_arrow_is_drawn() -> None:
    assert mermaid(graph("alone")) == 'flowchart LR\n  alone[/"SQS alone"/]\n'


def test_rule_is_drawn_as_its_bus() -> None:
    found = graph("jobs")
    found.nodes |= {
        "bus": Node("bus", Kind.BUS, "bus"),
        "rule": Node("rule", Kind.RULE, "rule", bus="bus", pattern={"detail-type": ["Order Placed"]}),
    }
    found.edges.append(Edge("rule", "0", Flow.EVENT, "target"))
    assert mermaid(found).splitlines()[1:] == [
        '  you(["you"]) -->|events| bus{{"EventBridge<br>bus"}}',
        '  bus -->|rules| jobs[/"SQS jobs"/]',
    ]


def test_only_whole_diagram_shows_schedules() -> None:
    found = graph("jobs", "more jobs")
    kinds = {"schedule": Kind.SCHEDULE, "sweeper": Kind.FUNCTION, "sweeper dlq": Kind.QUEUE}
    found.nodes |= {name: Node(name, kind, name, name) for name, kind in kinds.items()}
    found.dead_letter_queues = {"sweeper dlq"}
    found.edges += [
        Edge("schedule", "sweeper", Flow.EVENT, "by"),
        Edge("schedule", "sweeper dlq", Flow.FAILURE, "by"),
        Edge("sweeper", "sweeper dlq", Flow.FAILURE, "by"),
        Edge("sweeper", "1", Flow.WRITE, "by"),
    ]
    assert mermaid(found).splitlines()[1:] == [
        '  you(["you"]) -->|messages| jobs[/"SQS jobs"/]',
        '  jobs --> more_jobs[/"SQS more jobs"/]',
    ]
    whole = mermaid(found, whole=True)
    assert 'schedule["EventBridge Scheduler<br>schedule"] --> sweeper["Lambda<br>sweeper"]' in whole
    assert "sweeper --> more_jobs" in whole
    assert "sweeper -.-> sweeper_dlq" in whole
