"""Names are drawn as they are, whatever they hold, and each node has an id of its own."""

from __future__ import annotations

from scripts.architecture.mermaid import mermaid
from scripts.architecture.model import Edge, Flow, Graph, Kind, Node


def graph(*labels: str) -> Graph:
    """Queues that hand on to one another."""
    nodes = {str(number): Node(str(number), Kind.QUEUE, label, label) for number, label in enumerate(labels)}
    edges = [Edge(str(number), str(number + 1), Flow.EVENT, "by") for number in range(len(labels) - 1)]
    return Graph(nodes, edges)


def test_what_mermaid_would_take_for_its_own_is_escaped() -> None:
    drawn = mermaid(graph('a "quoted" <b>|#1', "end", "graph"))
    assert '[/"SQS a #quot;quoted#quot; #lt;b#gt;#124;#35;1"/]' in drawn
    assert 'end_[/"SQS end"/]\n  end_ --> graph_[/"SQS graph"/]' in drawn


def test_nodes_that_are_called_alike_have_ids_of_their_own() -> None:
    assert 'a_b[/"SQS a b"/]\n  a_b --> a_b_2[/"SQS a-b"/]' in mermaid(graph("a b", "a-b"))


def test_what_has_no_arrow_is_drawn_too() -> None:
    assert mermaid(graph("alone")) == 'flowchart LR\n  alone[/"SQS alone"/]\n'


def test_one_rule_is_drawn_as_its_bus() -> None:
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


def test_what_a_schedule_begins_is_beside_the_way_and_in_the_whole_picture_alone() -> None:
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
