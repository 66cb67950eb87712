"""The graph of an event-driven architecture, from a plan of Terraform.

A service's own deliveries are in its resource: a rule's target, a subscription, an event source. The policies of a role
contain the actions of a function, a workflow or an API: it needs them, and nothing else is allowed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.architecture.model import DEFAULT_BUS, Edge, Flow, Graph, Kind, Node
from scripts.architecture.policies import Policies
from scripts.contracts.patterns import overlap
from scripts.terraform.plan import MODULE, module_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from scripts.architecture.policies import Statement
    from scripts.terraform.plan import Plan, Resource


class Shape(NamedTuple):
    """Names of a type's resources: the attribute with the name, and its form in an ARN."""

    kind: Kind
    service: str
    attribute: str
    arn: str = "{}"


SHAPES = {
    "aws_api_gateway_rest_api": Shape(Kind.API, "apigateway", "name"),
    "aws_cloudwatch_event_bus": Shape(Kind.BUS, "events", "name", "event-bus/{}"),
    "aws_dynamodb_table": Shape(Kind.TABLE, "dynamodb", "name", "table/{}"),
    "aws_lambda_function": Shape(Kind.FUNCTION, "lambda", "function_name", "function:{}"),
    "aws_s3_bucket": Shape(Kind.BUCKET, "s3", "bucket"),
    "aws_scheduler_schedule": Shape(Kind.SCHEDULE, "scheduler", "name"),
    "aws_sfn_state_machine": Shape(Kind.WORKFLOW, "states", "name", "stateMachine:{}"),
    "aws_sns_topic": Shape(Kind.TOPIC, "sns", "name"),
    "aws_sqs_queue": Shape(Kind.QUEUE, "sqs", "name"),
}
SERVICES = {shape.service: shape for shape in SHAPES.values()}
ALIASES = {"aws_lambda_alias": ("aws_lambda_function", "function_name")}

# Services whose ARN ends with the resource's name before a slash; the part after it is an object, index or alias.
NAMING = {"s3": r"[^/]*", "dynamodb": r"[^/]*/[^/]*", "lambda": r"[^:]*:[^:]*"}

# Actions that send something to a resource, or fetch it. A role that allows one is taken to use it.
WRITES = {
    Kind.BUCKET: ("PutObject", "DeleteObject", "DeleteObjectVersion"),
    Kind.BUS: ("PutEvents",),
    Kind.FUNCTION: ("InvokeFunction",),
    Kind.QUEUE: ("SendMessage",),
    Kind.TABLE: ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate"),
    Kind.TOPIC: ("Publish",),
    Kind.WORKFLOW: ("StartExecution", "StartSyncExecution"),
}
READS = {
    Kind.BUCKET: ("GetObject", "GetObjectVersion"),
    Kind.TABLE: ("GetItem", "BatchGetItem", "Query", "Scan", "PartiQLSelect"),
}

# Metrics of a queue's waiting messages. Not NumberOfMessagesSent, which does not count those of a redrive policy.
WAITING = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
DEAD = re.compile(r"(?:^|[-_. ])(?:dlq|dead[-_]?letters?)(?:$|[-_. ])", re.IGNORECASE)

NEVER: dict[str, Any] = {"source": []}  # what a schedule matches


def graph_of(plan: Plan) -> Graph:
    """Return the graph of a plan."""
    return _Builder(plan).build()


def label_of(resource: Resource) -> str:
    """Return a label for a resource: the names of its modules, its own name and its key, without repetitions.

    `module.uploads.aws_sqs_queue.this` is "uploads", `module.uploads.aws_sqs_queue.dlq[0]` is "uploads dlq".
    """
    words = [word for step in MODULE.findall(resource.module) for word in (module_names(step)[0], _text_key(step))]
    words.append("" if resource.name == "this" and words else resource.name)
    words.append(_text_key(resource.address))
    return " ".join(filter(None, words))


def _text_key(address: str) -> str:
    """Return the key at the end of an address if it is a text."""
    found = re.search(r"\[\"([^\"]*)\"\]$", address)
    return found[1] if found else ""


class _Builder:
    """Adds to a graph, one kind of arrow after the other."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = Graph()

    def build(self) -> Graph:
        for resource in self.plan.every(*SHAPES):
            shape = SHAPES[resource.type]
            self._add(Node(resource.address, shape.kind, label_of(resource), resource.text(shape.attribute)))
        self._rules()
        self._bucket_notifications()
        self._targets()
        self._schedules()
        self._subscriptions()
        self._event_sources()
        self._invokers()
        self._failures()
        self._permissions()
        self._alarms()
        self._archives()
        self._tidy()
        return self.graph

    # Rules come first: what an event meets depends on their patterns.

    def _rules(self) -> None:
        for rule in self.plan.every("aws_cloudwatch_event_rule"):
            (bus, *_) = self._buses(rule)
            text = rule.text("event_pattern")
            pattern = json.loads(text) if text else None if rule.is_unknown("event_pattern") else NEVER
            self._add(Node(rule.address, Kind.RULE, label_of(rule), rule.text("name"), bus, pattern))

    def _buses(self, rule: Resource) -> list[str]:
        """Return the bus of a rule or target."""
        if rule.text("event_bus_name") in ("", "default") and not rule.is_unknown("event_bus_name"):
            return [self._default_bus()]
        return self._ids(rule, ("event_bus_name",), "aws_cloudwatch_event_bus") or [self._outside(rule.address, "bus")]

    def _default_bus(self) -> str:
        return self._add(Node(DEFAULT_BUS, Kind.BUS, DEFAULT_BUS, "default"))

    def _emit(self, source: str, bus: str, events: Mapping[str, Any] | None, flow: Flow, by: str) -> None:
        """Add an event's edges from a source to a bus: to each rule there that can match the events."""
        rules = [rule for rule in self.graph.every(Kind.RULE) if rule.bus == bus and overlap(events, rule.pattern)]
        # Events of a bucket that no rule matches are irrelevant; other sources publish intentionally.
        unmatched = [] if self.graph.nodes[source].kind is Kind.BUCKET else [bus]
        for target in [rule.id for rule in rules] or unmatched:
            self._connect(source, target, flow, by)

    def _bucket_notifications(self) -> None:
        ways = {
            "lambda_function": ("lambda_function_arn", "aws_lambda_function"),
            "queue": ("queue_arn", "aws_sqs_queue"),
            "topic": ("topic_arn", "aws_sns_topic"),
        }
        for one in self.plan.every("aws_s3_bucket_notification"):
            for bucket in self._ids(one, ("bucket",), "aws_s3_bucket"):
                if one.value("eventbridge"):
                    name = self.graph.nodes[bucket].name
                    events = {"source": ["aws.s3"], **({"detail": {"bucket": {"name": [name]}}} if name else {})}
                    self._emit(bucket, self._default_bus(), events, Flow.EVENT, one.address)
                for block, (attribute, kind) in ways.items():
                    for number, _ in enumerate(one.value(block) or []):
                        for target in self._ids_or_outside(one, (block, number, attribute), kind):
                            self._connect(bucket, target, Flow.EVENT, one.address)

    def _targets(self) -> None:
        for target in self.plan.every("aws_cloudwatch_event_target"):
            buses = self._buses(target)
            rules = [
                self.graph.nodes[rule.address]
                for rule in self._named(target, ("rule",), "aws_cloudwatch_event_rule")
                if self.graph.nodes[rule.address].bus in buses
            ]
            if not rules:
                self.graph.unclear.append(f"{target.address}: its rule is not in the plan.")
            for rule in rules:
                for end in self._ids_or_outside(target, ("arn",), *SHAPES):
                    if self.graph.nodes[end].kind is Kind.BUS:
                        self._emit(rule.id, end, rule.pattern, Flow.EVENT, target.address)
                    else:
                        self._connect(rule.id, end, Flow.EVENT, target.address)
                self._fail(rule.id, target, "dead_letter_config", 0, "arn")

    def _schedules(self) -> None:
        for schedule in self.plan.every("aws_scheduler_schedule"):
            for end in self._ids_or_outside(schedule, ("target", 0, "arn"), *SHAPES):
                self._connect(schedule.address, end, Flow.EVENT, schedule.address)
            self._fail(schedule.address, schedule, "target", 0, "dead_letter_config", 0, "arn")

    def _subscriptions(self) -> None:
        for one in self.plan.every("aws_sns_topic_subscription"):
            protocol = one.text("protocol")
            for topic in self._ids(one, ("topic_arn",), "aws_sns_topic"):
                if protocol in ("sqs", "lambda", "firehose"):
                    ends = self._ids_or_outside(one, ("endpoint",), "aws_sqs_queue", "aws_lambda_function")
                else:
                    ends = [self._outside(protocol, protocol)]
                for end in ends:
                    self._connect(topic, end, Flow.EVENT, one.address)
                self._redrive(topic, one)

    def _event_sources(self) -> None:
        for one in self.plan.every("aws_lambda_event_source_mapping"):
            sources = self._ids_or_outside(one, ("event_source_arn",), "aws_sqs_queue", "aws_dynamodb_table")
            for function in self._ids(one, ("function_name",), "aws_lambda_function"):
                for source in sources:
                    self._connect(source, function, Flow.EVENT, one.address)
                self._fail(function, one, "destination_config", 0, "on_failure", 0, "destination_arn")

    def _invokers(self) -> None:
        """Add the callers in a function's policy; of these only APIs have no edge yet."""
        for one in self.plan.every("aws_lambda_permission"):
            if one.value("principal") == "apigateway.amazonaws.com":
                arn, kind = one.text("source_arn"), "aws_api_gateway_rest_api"
                apis = [api for api in self.plan.every(kind) if api.text("id") and api.text("id") in arn]
                for api in apis or self.plan.referred(one, ("source_arn",), {kind}):
                    for function in self._ids(one, ("function_name",), "aws_lambda_function"):
                        self._connect(api.address, function, Flow.WRITE, one.address)
        for one in self.plan.every("aws_lambda_function_event_invoke_config"):
            for function in self._ids(one, ("function_name",), "aws_lambda_function"):
                self._fail(function, one, "destination_config", 0, "on_failure", 0, "destination")
                path = ("destination_config", 0, "on_success", 0, "destination")
                for end in self._ids_or_outside(one, path, *SHAPES):
                    self._connect(function, end, Flow.EVENT, one.address)

    # Failures

    def _failures(self) -> None:
        for queue in self.plan.every("aws_sqs_queue"):
            self._redrive(queue.address, queue)
        for one in self.plan.every("aws_sqs_queue_redrive_policy"):
            for source in self._ids(one, ("queue_url",), "aws_sqs_queue"):
                self._redrive(source, one)
        for bus in self.plan.every("aws_cloudwatch_event_bus"):
            self._fail(bus.address, bus, "dead_letter_config", 0, "arn")
        for function in self.plan.every("aws_lambda_function"):
            self._fail(function.address, function, "dead_letter_config", 0, "target_arn")

    def _fail(self, source: str, by: Resource, *path: str | int) -> None:
        for end in self._ids_or_outside(by, path, "aws_sqs_queue", "aws_sns_topic"):
            self._connect(source, end, Flow.FAILURE, by.address)

    def _redrive(self, source: str, by: Resource) -> None:
        """Add the edge of a redrive policy; AWS's form of an empty one varies."""
        policy = by.text("redrive_policy")
        if policy:
            ends = self._matching(json.loads(policy).get("deadLetterTargetArn", ""), ["aws_sqs_queue"])
        else:
            ends = [one.address for one in self.plan.referred(by, ("redrive_policy",), {"aws_sqs_queue"})]
            ends = [end for end in ends if end != source]
        for end in ends:
            self._connect(source, end, Flow.FAILURE, by.address)

    # Permissions of roles

    def _permissions(self) -> None:
        policies = Policies(self.plan, frozenset({*SHAPES, *ALIASES}), _matters)
        for actor, role in self._actors():
            for statement in policies.of(role):
                for node in self._allowed(statement):
                    self._act(actor, node, statement)
        self.graph.unclear += policies.unclear

    def _actors(self) -> Iterator[tuple[str, Resource]]:
        """Yield functions, workflows and APIs with their roles."""
        for path, kind in (("role", "aws_lambda_function"), ("role_arn", "aws_sfn_state_machine")):
            for actor in self.plan.every(kind):
                roles = self._named(actor, (path,), "aws_iam_role")
                if not roles:
                    self.graph.unclear.append(f"{actor.address} has a role that is not in the plan: what it may do?")
                yield from ((actor.address, role) for role in roles)
        for api in self.plan.every("aws_api_gateway_rest_api"):
            named = set(re.findall(r"arn:[^:\"]*:iam::\d*:role/[^\"]*", api.text("body")))
            roles = [role for arn in named for role in self._roles_called(arn)]
            for role in roles or self.plan.referred(api, ("body",), {"aws_iam_role"}):
                yield api.address, role
        for one in self.plan.every("aws_api_gateway_integration"):
            for caller in self._ids(one, ("rest_api_id",), "aws_api_gateway_rest_api"):
                yield from ((caller, role) for role in self._named(one, ("credentials",), "aws_iam_role"))

    def _allowed(self, statement: Statement) -> list[Node]:
        ids = {node for one in statement.referred for node in self._node_ids(one)}
        for arn in statement.resources:
            ids |= set(self._matching(arn, SHAPES))
        return [self.graph.nodes[one] for one in sorted(ids)]

    def _act(self, actor: str, node: Node, statement: Statement) -> None:
        service = next(shape.service for shape in SHAPES.values() if shape.kind is node.kind)
        if _allows(statement.actions, service, WRITES.get(node.kind, ())):
            if node.kind is Kind.BUS:
                self._emit(actor, node.id, statement.events, Flow.WRITE, statement.by)
            else:
                self._connect(actor, node.id, Flow.WRITE, statement.by)
        if _allows(statement.actions, service, READS.get(node.kind, ())):
            self._connect(node.id, actor, Flow.READ, statement.by)

    # Alarms

    def _alarms(self) -> None:
        for alarm in self.plan.every("aws_cloudwatch_metric_alarm"):
            queries = [
                ("metric_query", at, "metric", 0)
                for at, query in enumerate(alarm.value("metric_query") or [])
                if query.get("metric")
            ]
            for path in [(), *queries]:
                if alarm.value(*path, "namespace") == "AWS/SQS" and alarm.value(*path, "metric_name") in WAITING:
                    self.graph.watched |= set(self._ids(alarm, (*path, "dimensions", "QueueName"), "aws_sqs_queue"))

    def _archives(self) -> None:
        for archive in self.plan.every("aws_cloudwatch_event_archive"):
            self.graph.archived |= set(self._ids(archive, ("event_source_arn",), "aws_cloudwatch_event_bus"))

    def _tidy(self) -> None:
        """Leave each arrow once, and say which queues are for the dead."""
        graph = self.graph
        graph.dead_letter_queues = {
            node.id
            for node in graph.every(Kind.QUEUE)
            if graph.to(node.id, Flow.FAILURE) or DEAD.search(node.label) or DEAD.search(node.name)
        }
        automatic = {(edge.source, edge.target) for edge in graph.edges if edge.flow in (Flow.EVENT, Flow.FAILURE)}
        kept = []
        for edge in graph.edges:
            if edge.flow is Flow.WRITE and edge.target in graph.dead_letter_queues:
                if (edge.source, edge.target) not in automatic:
                    kept.append(Edge(edge.source, edge.target, Flow.FAILURE, edge.by))
            elif edge.flow is not Flow.READ or (edge.source, edge.target) not in automatic:
                kept.append(edge)
        graph.edges = list(dict.fromkeys(kept))
        graph.unclear = list(dict.fromkeys(graph.unclear))

    # From names to nodes

    def _add(self, node: Node) -> str:
        self.graph.nodes.setdefault(node.id, node)
        return node.id

    def _connect(self, source: str, target: str, flow: Flow, by: str) -> None:
        self.graph.edges.append(Edge(source, target, flow, by))

    def _outside(self, identity: str, label: str) -> str:
        return self._add(Node(f"outside {identity}", Kind.OUTSIDE, label))

    def _named(self, resource: Resource, path: tuple[str | int, ...], kind: str) -> list[Resource]:
        """Return the resources that an attribute refers to, by name, id or ARN."""
        text = resource.text(*path)
        if not text:
            return self.plan.referred(resource, path, {kind})
        if kind == "aws_iam_role":
            return self._roles_called(text)
        return [one for one in self.plan.every(kind) if one.text("name") in (text, text.rpartition("/")[2])]

    def _roles_called(self, text: str) -> list[Resource]:
        return [role for role in self.plan.every("aws_iam_role") if role.text("name") == text.rpartition("/")[2]]

    def _ids(self, resource: Resource, path: tuple[str | int, ...], *types: str) -> list[str]:
        """Return the nodes of some types that an attribute refers to: by name, ARN, URL or reference."""
        text = resource.text(*path)
        if text:
            return self._matching(text, types)
        aliases = [alias for alias, (kind, _) in ALIASES.items() if kind in types]
        found = [id_ for one in self.plan.referred(resource, path, {*types, *aliases}) for id_ in self._node_ids(one)]
        found = list(dict.fromkeys(found))
        if len(found) != 1 and resource.is_unknown(*path):
            attribute = ".".join(str(step) for step in path if isinstance(step, str))
            which = f" It is one of: {', '.join(found)}." if found else ""
            self.graph.unclear.append(f"{resource.address}: its {attribute} is known only once it is applied.{which}")
        return found

    def _ids_or_outside(self, resource: Resource, path: tuple[str | int, ...], *types: str) -> list[str]:
        """Return the same, including resources outside the plan."""
        text = resource.text(*path)
        found = self._ids(resource, path, *types)
        if found or not text:
            return found
        service, end = _parts(text)
        label = re.split(r"[:/]", end)[-1]
        if service in SERVICES:
            return [self._add(Node(f"outside {text}", SERVICES[service].kind, label, label))]
        return [self._outside(text, label)]

    def _node_ids(self, resource: Resource) -> list[str]:
        if resource.type in ALIASES:
            kind, attribute = ALIASES[resource.type]
            return self._ids(resource, (attribute,), kind)
        return [resource.address] if resource.address in self.graph.nodes else []

    def _matching(self, text: str, types: Collection[str]) -> list[str]:
        """Return the nodes of some types that match a name, a URL, or an ARN with or without wildcards."""
        kinds = {SHAPES[kind].kind: SHAPES[kind] for kind in types}
        if Kind.BUS in kinds and text.startswith("arn:") and text.endswith(":event-bus/default"):
            return [self._default_bus()]
        service, end = _parts(text)
        found = []
        for node in self.graph.every(*kinds):
            shape = kinds[node.kind]
            if service:
                same = _glob(service, shape.service) and _glob(_naming(end, shape.service), shape.arn.format(node.name))
            else:
                same = text == "*" or node.name in (text, text.rpartition("/")[2])
            if same and node.name:
                found.append(node.id)
        return found


def _parts(text: str) -> tuple[str, str]:
    """Return the service and the last part of an ARN; empty texts for anything else."""
    parts = text.split(":", 5)
    return (parts[2], parts[5]) if text.startswith("arn:") and len(parts) > 5 else ("", text)  # noqa: PLR2004 - an ARN


def _naming(end: str, service: str) -> str:
    """Return the resource's name in the last part of an ARN, without the name of a part of it."""
    found = re.match(NAMING.get(service, ".*"), end)
    return found[0] if found else end


def _glob(pattern: str, text: str) -> bool:
    """Return True if a text matches an IAM pattern."""
    wanted = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(wanted, text, re.IGNORECASE) is not None


def _matters(actions: Collection[str]) -> bool:
    """Return True if one of the actions sends something to a node, or fetches it."""
    return any(
        _allows(actions, shape.service, [*WRITES.get(shape.kind, ()), *READS.get(shape.kind, ())])
        for shape in SHAPES.values()
    )


def _allows(actions: Collection[str], service: str, wanted: Collection[str]) -> bool:
    """Return True if a policy allows one of a service's actions."""
    return any(_glob(action, f"{service}:{one}") for action in actions for one in wanted)
