"""Mermaid diagram of an architecture's graph."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.architecture.model import Flow, Kind, Node

if TYPE_CHECKING:
    from scripts.architecture.model import Edge, Graph

SHAPES = {
    Kind.BUCKET: ("[(", ")]"),
    Kind.BUS: ("{{", "}}"),
    Kind.OUTSIDE: ("([", "])"),
    Kind.QUEUE: ("[/", "/]"),
    Kind.TABLE: ("[(", ")]"),
    Kind.TOPIC: ("[/", "/]"),
}
BOX = ("[", "]")

YOU = Node("outside you", Kind.OUTSIDE, "you")
CALLERS = Node("outside callers", Kind.OUTSIDE, "callers")
# Labels of the arrows from outside the plan.
COMES = {
    Kind.API: "requests",
    Kind.BUCKET: "upload",
    Kind.BUS: "events",
    Kind.QUEUE: "messages",
    Kind.TOPIC: "messages",
}

DEAD_WORD = re.compile(r"[ _-]?(?:dlq|dead[-_]?letters?)$", re.IGNORECASE)  # left out after "DLQ"

RESERVED = {"call", "class", "click", "default", "end", "flowchart", "graph", "href", "style", "subgraph"}


@dataclass
class Arrow:
    """An arrow of the diagram."""

    labels: list[str] = field(default_factory=list)
    dotted: bool = False
    both_ways: bool = False

    def draw(self) -> str:
        """Return the arrow in Mermaid."""
        line = "-.->" if self.dotted else "<-->" if self.both_ways else "-->"
        return f"{line}|{'<br>'.join(map(_escaped, self.labels))}|" if self.labels else line


def mermaid(graph: Graph, *, whole: bool = False) -> str:
    """Return the diagram of a graph: a flowchart from left to right, in the order of the events.

    Args:
        graph: The graph. A rule is drawn as its bus.
        whole: Draw also the nodes that only an API uses or only schedules reach, what functions and workflows read,
            and alarms.
    """
    return _Picture(graph, whole=whole).draw()


class _Picture:
    def __init__(self, graph: Graph, *, whole: bool) -> None:
        self.graph = graph
        self.whole = whole
        self.waited_for = graph.callers_side
        behind = self.waited_for - {node.id for node in graph.every(Kind.API)}
        self.hidden = set() if whole else behind | graph.schedules_side
        self.arrows: dict[tuple[str, str], Arrow] = {}
        self.nodes = {**graph.nodes, YOU.id: YOU, CALLERS.id: CALLERS}
        self.ids: dict[str, str] = {}

    def draw(self) -> str:
        self._beginnings()
        for edge in self._in_order():
            self._edge(edge)
        for edge in self.graph.edges:
            if edge.flow is Flow.FAILURE and edge.source not in self.hidden:
                self._arrow(self._place(edge.source), self._place(edge.target)).dotted = True
        self._callers()
        lines = [
            f"  {self._node(source)} {arrow.draw()} {self._node(target)}"
            for (source, target), arrow in self.arrows.items()
        ]
        alone = self.nodes.keys() - self.hidden - {YOU.id, CALLERS.id} - {end for pair in self.arrows for end in pair}
        lines += [f"  {self._node(one)}" for one in sorted(alone) if self.nodes[one].kind is not Kind.RULE]
        return "\n".join(["flowchart LR", *lines, ""])

    def _beginnings(self) -> None:
        """Draw arrows from outside to buckets, buses, queues and topics that no other node writes to."""
        graph = self.graph
        for node in graph.nodes.values():
            given = [edge for edge in graph.to(node.id, Flow.EVENT, Flow.WRITE) if edge.source not in self.waited_for]
            if graph.of(node.id, Flow.EVENT, Flow.WRITE) and not given and node.id not in self.waited_for:
                place = self._place(node.id)
                comes = COMES.get(self.nodes[place].kind)
                if comes:
                    self._arrow(YOU.id, place).labels = [comes]

    def _in_order(self) -> list[Edge]:
        """Return the edges of events and writes, in the order of their distance from the beginning."""
        edges = [edge for edge in self.graph.edges if edge.flow in (Flow.EVENT, Flow.WRITE)]
        edges = [edge for edge in edges if edge.source not in self.waited_for | self.hidden]
        reached = {edge.source for edge in edges} - {edge.target for edge in edges}
        ordered: list[Edge] = []
        while edges:
            near = [edge for edge in edges if edge.source in reached] or edges
            reached |= {edge.target for edge in near}
            ordered += sorted(near, key=lambda edge: edge.flow is not Flow.WRITE)
            edges = [edge for edge in edges if edge not in near]
        return ordered

    def _edge(self, edge: Edge) -> None:
        source, target = (self.nodes[end] for end in (edge.source, edge.target))
        arrow = self._arrow(self._place(edge.source), self._place(edge.target))
        if target.kind is Kind.RULE:
            types = target.pattern.get("detail-type", [])
            labels = [one for one in types if isinstance(one, str)]
        elif source.kind is Kind.RULE:
            labels = ["rules"]
        elif (source.kind, target.kind) == (Kind.QUEUE, Kind.FUNCTION):
            labels = ["batches"]
        else:
            labels = []
        arrow.labels += [label for label in labels if label not in arrow.labels]
        if self.whole and any(read.target == edge.source for read in self.graph.of(edge.target, Flow.READ)):
            arrow.both_ways = True

    def _callers(self) -> None:
        """Draw APIs and the nodes that they use; in the whole diagram, everything that is read."""
        for api in self.graph.every(Kind.API):
            arrow = self._arrow(CALLERS.id, api.id)
            arrow.labels, arrow.both_ways = [COMES[Kind.API]], True
        for edge in self.graph.edges:
            ends = {edge.source, edge.target}
            if edge.flow in (Flow.EVENT, Flow.WRITE) and edge.source in self.waited_for and not ends & self.hidden:
                self._edge(edge)
        for edge in self.graph.edges:
            shown = self.whole or self.nodes[edge.target].kind is Kind.API
            hidden = {edge.source, edge.target} & self.hidden or (edge.target, edge.source) in self.arrows
            if edge.flow is Flow.READ and shown and not hidden:
                self._arrow(edge.source, edge.target)

    def _arrow(self, source: str, target: str) -> Arrow:
        return self.arrows.setdefault((source, target), Arrow())

    def _place(self, node: str) -> str:
        """Return the node to draw: the bus for a rule."""
        return self.nodes[node].bus or node

    def _node(self, node: str) -> str:
        """Return the id of a node in the diagram, with shape and text the first time."""
        if node in self.ids:
            return self.ids[node]
        found = self.nodes[node]
        plain = re.sub(r"\W+", "_", found.label).strip("_").lower() or "node"
        plain = f"{plain}_" if plain in RESERVED else plain
        taken = set(self.ids.values())
        id_ = next(one for one in (plain, *(f"{plain}_{n}" for n in range(2, len(taken) + 3))) if one not in taken)
        self.ids[node] = id_
        opening, closing = SHAPES.get(found.kind, BOX)
        return f'{id_}{opening}"{self._text(found)}"{closing}'

    def _text(self, node: Node) -> str:
        lines = [node.label] if node.kind is Kind.OUTSIDE else [node.kind.value, node.label]
        if node.kind in (Kind.BUCKET, Kind.QUEUE, Kind.TABLE, Kind.TOPIC):
            lines = [" ".join(lines)]
        if node.id in self.graph.dead_letter_queues:
            lines = [f"DLQ {DEAD_WORD.sub('', node.label)}" if self.whole else "DLQ"]
            lines += ["alarm"] if self.whole and node.id in self.graph.watched else []
        if node.id in self.graph.archived:
            lines[-1] += " + archive"
        return "<br>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    """Return a text with Mermaid's own characters escaped."""
    for letter, entity in {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "|": "#124;"}.items():
        text = text.replace(letter, entity)
    return text
