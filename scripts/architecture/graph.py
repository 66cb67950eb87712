"""Graph of an event-driven architecture, from a plan or a state of Terraform in which all values are known.

What a service hands on automatically is an attribute of its own resource: a rule's target, a subscription, an event
source. What a function, a workflow or an API does is what the policies of its role allow: with less it would fail, and
more would be allowed needlessly.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from scripts.architecture.model import DEFAULT_BUS, Edge, Flow, Graph, Kind, Node
from scripts.contracts.patterns import overlap
from scripts.terraform.policies import credentials, granted, matches, statements
from scripts.terraform.policies import overlap as meet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.terraform.plans import Plan, Resource
    from scripts.terraform.policies import Statement

# Kind, service and attribute with the name, by type.
NODES = {
    "aws_api_gateway_rest_api": (Kind.API, "apigateway", "name"),
    "aws_cloudwatch_event_bus": (Kind.BUS, "events", "name"),
    "aws_dynamodb_table": (Kind.TABLE, "dynamodb", "name"),
    "aws_lambda_function": (Kind.FUNCTION, "lambda", "function_name"),
    "aws_s3_bucket": (Kind.BUCKET, "s3", "bucket"),
    "aws_scheduler_schedule": (Kind.SCHEDULE, "scheduler", "name"),
    "aws_sfn_state_machine": (Kind.WORKFLOW, "states", "name"),
    "aws_sns_topic": (Kind.TOPIC, "sns", "name"),
    "aws_sqs_queue": (Kind.QUEUE, "sqs", "name"),
}
KINDS = {service: kind for kind, service, _ in NODES.values()}
SERVICES = {kind: service for service, kind in KINDS.items()}

# Actions that hand something to a resource, or fetch it. A role that allows one of them is taken to do it.
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

# AWS's own policies for functions allow logs, traces and reading of their event sources: nothing that hands on.
HARMLESS = re.compile(r"arn:[^:]+:iam::aws:policy/(?:service-role/AWSLambda\w+ExecutionRole|AWSXRay\w+)")

# Metrics of the messages in a queue. NumberOfMessagesSent is not one of them: it does not count redriven messages.
WAITING = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
DEAD = re.compile(r"(?:^|[-_. ])(?:dlq|dead[-_]?letters?)(?:$|[-_. ])", re.IGNORECASE)

DEFAULT = Node(DEFAULT_BUS, Kind.BUS, DEFAULT_BUS, "default")
NEVER: dict[str, Any] = {"source": []}  # the pattern of a rule with a schedule
EVENT_KEYS = {"events:source": "source", "events:detail-type": "detail-type"}


def graph_of(plan: Plan) -> Graph:
    """Return the graph of a plan."""
    return _Builder(plan).build()


def label_of(resource: Resource) -> str:
    """Return a name for people: the names and keys of the modules, and the resource's own.

    `module.uploads.aws_sqs_queue.this` is "uploads", `module.uploads.aws_sqs_queue.dlq[0]` is "uploads dlq".
    """
    modules = re.findall(r'module\.([\w-]+)(?:\["([^"]*)"\])?', resource.module)
    words = [word for step in modules for word in step]
    words.append("" if resource.name == "this" and words else resource.name)
    words.append(resource.index if isinstance(resource.index, str) else "")
    return " ".join(filter(None, words))


class _Builder:
    """Builder of a graph, which adds one kind of edge after the other."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = Graph()

    def build(self) -> Graph:
        for resource in self.plan.every(*NODES):
            kind, _, name = NODES[resource.type]
            self._add(Node(resource.address, kind, label_of(resource), resource.value(name)))
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

    # Rules come first: their patterns decide where an event goes.

    def _rules(self) -> None:
        for rule in self.plan.every("aws_cloudwatch_event_rule"):
            pattern = json.loads(rule.value("event_pattern") or "null") or NEVER
            self._add(Node(rule.address, Kind.RULE, label_of(rule), rule.value("name"), self._bus(rule), pattern))

    def _bus(self, rule: Resource) -> str:
        """Return the bus of a rule or target."""
        name = rule.value("event_bus_name") or "default"
        if name == "default":
            return self._default_bus()
        return next(iter(self._ends(name, "aws_cloudwatch_event_bus")))

    def _default_bus(self) -> str:
        return self._add(DEFAULT)

    def _emit(self, source: str, bus: str, events: Mapping[str, Any], flow: Flow, by: str) -> None:
        """Connect a source of events with the rules of a bus that can match them."""
        rules = [rule for rule in self.graph.every(Kind.RULE) if rule.bus == bus and overlap(events, rule.pattern)]
        # A bucket sends all its events to the default bus. Only those that a rule matches are of interest.
        unmatched = [] if self.graph.nodes[source].kind is Kind.BUCKET else [bus]
        for target in [rule.id for rule in rules] or unmatched:
            self._connect(source, target, flow, by)

    def _bucket_notifications(self) -> None:
        blocks = {"lambda_function": "lambda_function_arn", "queue": "queue_arn", "topic": "topic_arn"}
        for one in self.plan.every("aws_s3_bucket_notification"):
            for bucket in self._known(one.value("bucket"), "aws_s3_bucket"):
                if one.value("eventbridge"):
                    events = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.graph.nodes[bucket].name]}}}
                    self._emit(bucket, self._default_bus(), events, Flow.EVENT, one.address)
                for block, attribute in blocks.items():
                    for notified in one.value(block) or []:
                        for target in self._ends(notified[attribute]):
                            self._connect(bucket, target, Flow.EVENT, one.address)

    def _targets(self) -> None:
        rules = {(node.bus, node.name): node for node in self.graph.every(Kind.RULE)}
        for target in self.plan.every("aws_cloudwatch_event_target"):
            rule = rules.get((self._bus(target), target.value("rule")))
            if rule is None:
                self.graph.unclear.append(f"{target.address}: its rule {target.value('rule')} is not in the plan.")
                continue
            for end in self._ends(target.value("arn")):
                if self.graph.nodes[end].kind is Kind.BUS:
                    self._emit(rule.id, end, rule.pattern, Flow.EVENT, target.address)
                else:
                    self._connect(rule.id, end, Flow.EVENT, target.address)
            self._fail(rule.id, target, "dead_letter_config", 0, "arn")

    def _schedules(self) -> None:
        for schedule in self.plan.every("aws_scheduler_schedule"):
            for end in self._ends(schedule.value("target", 0, "arn")):
                self._connect(schedule.address, end, Flow.EVENT, schedule.address)
            self._fail(schedule.address, schedule, "target", 0, "dead_letter_config", 0, "arn")

    def _subscriptions(self) -> None:
        for one in self.plan.every("aws_sns_topic_subscription"):
            protocol = one.value("protocol")
            for topic in self._known(one.value("topic_arn"), "aws_sns_topic"):
                by_arn = protocol in {"firehose", "lambda", "sqs"}
                for end in self._ends(one.value("endpoint")) if by_arn else [self._outside(protocol, protocol)]:
                    self._connect(topic, end, Flow.EVENT, one.address)
                self._redrive(topic, one)

    def _event_sources(self) -> None:
        for one in self.plan.every("aws_lambda_event_source_mapping"):
            for function in self._known(one.value("function_name"), "aws_lambda_function"):
                for source in self._ends(one.value("event_source_arn")):
                    self._connect(source, function, Flow.EVENT, one.address)
                self._fail(function, one, "destination_config", 0, "on_failure", 0, "destination_arn")

    def _invokers(self) -> None:
        """Connect APIs with functions whose own policy admits them, and functions with their destinations."""
        for one in self.plan.every("aws_lambda_permission"):
            for api in self.plan.every("aws_api_gateway_rest_api"):
                if api.value("id") in (one.value("source_arn") or ""):
                    for function in self._known(one.value("function_name"), "aws_lambda_function"):
                        self._connect(api.address, function, Flow.WRITE, one.address)
        for one in self.plan.every("aws_lambda_function_event_invoke_config"):
            for function in self._known(one.value("function_name"), "aws_lambda_function"):
                self._fail(function, one, "destination_config", 0, "on_failure", 0, "destination")
                for end in self._ends(one.value("destination_config", 0, "on_success", 0, "destination")):
                    self._connect(function, end, Flow.EVENT, one.address)

    # Failures

    def _failures(self) -> None:
        for queue in self.plan.every("aws_sqs_queue"):
            self._redrive(queue.address, queue)
        for one in self.plan.every("aws_sqs_queue_redrive_policy"):
            for source in self._known(one.value("queue_url"), "aws_sqs_queue"):
                self._redrive(source, one)
        for bus in self.plan.every("aws_cloudwatch_event_bus"):
            self._fail(bus.address, bus, "dead_letter_config", 0, "arn")
        for function in self.plan.every("aws_lambda_function"):
            self._fail(function.address, function, "dead_letter_config", 0, "target_arn")

    def _fail(self, source: str, by: Resource, *path: str | int) -> None:
        for end in self._ends(by.value(*path)):
            self._connect(source, end, Flow.FAILURE, by.address)

    def _redrive(self, source: str, by: Resource) -> None:
        policy = by.value("redrive_policy") or ""
        if policy.startswith("{"):  # an attribute that is not set has a made-up value in a plan
            for end in self._ends(json.loads(policy).get("deadLetterTargetArn")):
                self._connect(source, end, Flow.FAILURE, by.address)

    # Permissions of roles

    def _permissions(self) -> None:
        roles = {role.value("arn"): role for role in self.plan.every("aws_iam_role")}
        nodes = {node.id: node for node in (*self.graph.every(*WRITES), DEFAULT)}
        for actor, arn in self._actors():
            if arn in roles:
                for by, statement in self._statements(roles[arn]):
                    for _, node in sorted(nodes.items()):
                        self._act(actor, node, statement, by)
            else:
                self.graph.unclear.append(f"{actor} has the role {arn}, which is not in the plan: what does it allow?")

    def _actors(self) -> Iterator[tuple[str, str]]:
        """Yield functions, workflows and APIs with the ARNs of their roles."""
        for path, kind in (("role", "aws_lambda_function"), ("role_arn", "aws_sfn_state_machine")):
            yield from ((actor.address, actor.value(path)) for actor in self.plan.every(kind))
        for api in self.plan.every("aws_api_gateway_rest_api"):
            yield from ((api.address, role) for role in sorted(credentials(api)))
        for one in self.plan.every("aws_api_gateway_integration"):
            for api_id in self._known(one.value("rest_api_id"), "aws_api_gateway_rest_api"):
                if one.value("credentials"):
                    yield api_id, one.value("credentials")

    def _statements(self, role: Resource) -> Iterator[tuple[str, Statement]]:
        """Yield the statements of a role that allow something, each with the address of its policy."""
        managed = {policy.value("arn") for policy in self.plan.every("aws_iam_policy")}
        for one in self.plan.every("aws_iam_role_policy_attachment"):
            arn = one.value("policy_arn")
            if one.value("role") == role.value("name") and arn not in managed and not HARMLESS.match(arn):
                self.graph.unclear.append(
                    f"{one.address} attaches {arn}, which is not in the plan: what does it allow?"
                )
        policies = granted(self.plan, role)
        named = {policy.value("name") for policy in policies}
        documents = [(policy.address, policy.value("policy")) for policy in policies]
        # AWS lists all inline policies in the role, also those that are resources of their own.
        documents += [
            (role.address, inline["policy"])
            for inline in role.value("inline_policy") or []
            if inline.get("policy") and inline["name"] not in named
        ]
        for by, document in documents:
            if document:
                yield from ((by, one) for one in statements(document) if one.allow)
            else:
                self.graph.unclear.append(f"{by} is known only after an apply: use the state (--state).")

    def _act(self, actor: str, node: Node, statement: Statement, by: str) -> None:
        if _allows(statement, self._arns(node.id), node.kind, WRITES):
            if node.kind is Kind.BUS:
                self._add(node)
                self._emit(actor, node.id, _events(statement), Flow.WRITE, by)
            else:
                self._connect(actor, node.id, Flow.WRITE, by)
        if _allows(statement, self._arns(node.id), node.kind, READS):
            self._connect(node.id, actor, Flow.READ, by)

    def _arns(self, node: str) -> tuple[str, ...]:
        """Return patterns of the ARNs that policies name for a node: its own, and those of its parts."""
        if node == DEFAULT_BUS:
            return ("arn:*:events:*:*:event-bus/default",)
        arn = self.plan.resources[node].value("arn") if node in self.plan.resources else node.removeprefix("outside ")
        return (arn, f"{arn}/*", f"{arn}:*")

    # Alarms and archives

    def _alarms(self) -> None:
        for alarm in self.plan.every("aws_cloudwatch_metric_alarm"):
            queries = [metric for query in alarm.value("metric_query") or [] for metric in query["metric"]]
            for metric in (alarm.values, *queries):
                if metric["namespace"] == "AWS/SQS" and metric["metric_name"] in WAITING:
                    self.graph.watched |= set(
                        self._known((metric["dimensions"] or {}).get("QueueName"), "aws_sqs_queue")
                    )

    def _archives(self) -> None:
        for archive in self.plan.every("aws_cloudwatch_event_archive"):
            self.graph.archived |= set(self._known(archive.value("event_source_arn"), "aws_cloudwatch_event_bus"))

    def _tidy(self) -> None:
        """Keep each arrow once, and mark the dead-letter queues."""
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

    def _outside(self, identity: str, label: str, kind: Kind = Kind.OUTSIDE) -> str:
        return self._add(Node(f"outside {identity}", kind, label, label))

    def _known(self, text: str | None, *types: str) -> list[str]:
        """Return the nodes of some types that a text names: by name, id, URL or ARN, or by the ARN of a part."""
        if not text:
            return []
        if text.endswith(":event-bus/default") and "aws_cloudwatch_event_bus" in types:
            return [self._default_bus()]
        return [
            one.address
            for one in self.plan.every(*types)
            if text in {one.value(key) for key in ("arn", "id", "url", NODES[one.type][2])}
            or text.startswith((f"{one.value('arn')}:", f"{one.value('arn')}/"))
        ]

    def _ends(self, text: str | None, *types: str) -> Sequence[str]:
        """Return the nodes that a text names, else a node outside the plan."""
        found = self._known(text, *types or NODES)
        if found or not text:
            return found
        service = text.split(":")[2] if text.startswith("arn:") else ""
        return [self._outside(text, re.split(r"[:/]", text)[-1], KINDS.get(service, Kind.OUTSIDE))]


def _allows(statement: Statement, arns: Sequence[str], kind: Kind, actions: Mapping[Kind, Sequence[str]]) -> bool:
    wanted = [f"{SERVICES[kind]}:{action}".lower() for action in actions.get(kind, ())]
    return any(matches(one.lower(), action) for one in statement.actions for action in wanted) and any(
        _meet(one, arn) for one in statement.resources for arn in arns
    )


def _meet(one: str, other: str) -> bool:
    """Return True if two patterns of ARNs have an ARN in common. A wildcard does not extend over several parts."""
    return one == "*" or all(map(meet, one.split(":", 5), other.split(":", 5)))


def _events(statement: Statement) -> dict[str, Any]:
    """Return the pattern of the events that conditions on PutEvents allow."""
    return {
        EVENT_KEYS[key]: list(values)
        for test, keys in statement.conditions.items()
        if test.startswith("StringEquals")
        for key, values in keys.items()
        if key in EVENT_KEYS
    }
