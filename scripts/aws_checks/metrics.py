"""Check that alarms, dashboards and saved queries read metrics and log fields that exist.

CloudWatch takes any name: an alarm on a metric that does not exist never goes off, and no service refuses it. So each
metric is looked up in `metrics.json`, the catalogue of the metrics that AWS documents and that the functions write:
its namespace, its name, its set of dimensions, and the type and settings of the resource that each dimension names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scripts.aws_checks.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.terraform.plans import Plan, Resource

CATALOGUE: Final = Path(__file__).with_suffix(".json")

# Lambda takes a line without a level, such as a metric in the embedded format, for INFO.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_LEVELS_OF_METRICS = {"TRACE", "DEBUG", "INFO"}

_SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]*)\} MetricName=\"(?P<name>[^\"]*)\"', '(?P<statistic>[^']*)', \d+\)")
_ID = re.compile(r"\b[a-z][A-Za-z0-9_]*\b")  # functions and keywords of metric math are in capitals
_TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|/[^/]*/|(?<!\w)[A-Za-z@_][\w.@]*')
_COMMANDS = {"dedup", "display", "fields", "filter", "limit", "parse", "sort", "stats"}
_WORDS = {"and", "as", "asc", "by", "desc", "in", "like", "not", "or"}
_FUNCTIONS = {"avg", "bin", "count", "ispresent", "max", "min", "pct", "sum"}


@dataclass(frozen=True, slots=True)
class Use:
    """A metric that an alarm or a dashboard reads.

    Attributes:
        where: The alarm, or the dashboard with the widget's title.
        namespace: Its namespace.
        name: Its name.
        dimensions: Its dimensions; the value is None if a search leaves it open.
    """

    where: str
    namespace: str
    name: str
    dimensions: Mapping[str, str | None]

    @property
    def title(self) -> str:
        """Namespace and name, for messages."""
        return f"{self.namespace} {self.name}"


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield metrics, expressions, log groups and fields that nothing writes."""
    for plan in plans:
        for use in _uses(plan):
            for what in _faults(plan, use):
                yield Finding(plan.name, use.where, what)
        for where, what in (*_expressions(plan), *_alarm_widgets(plan), *_queries(plan), *_silenced(plan)):
            yield Finding(plan.name, where, what)


@cache
def catalogue() -> dict[str, Any]:
    """Return the content of `metrics.json`."""
    document: dict[str, Any] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return document


def written_by(function: str) -> set[tuple[frozenset[str], str]]:
    """Return the metrics that a function writes itself: the names of the dimensions, and the metric's."""
    groups = catalogue()["functions"][function]["metrics"]
    return {(frozenset(dimensions), name) for group in groups for dimensions in group["by"] for name in group["names"]}


# Metrics that are read


def _uses(plan: Plan) -> Iterator[Use]:
    for alarm in plan.every("aws_cloudwatch_metric_alarm"):
        if alarm.value("metric_name"):
            yield _use(alarm.address, alarm.values)
        for query in alarm.value("metric_query") or ():
            for metric in query["metric"]:
                yield _use(alarm.address, metric)
    for where, metrics in _widgets(plan):
        for metric in metrics:
            if isinstance(metric[0], str):
                namespace, name, *pairs = [part for part in metric if isinstance(part, str)]
                yield Use(where, namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))
        for expression in _texts(metrics):
            for found in _SEARCH.finditer(expression):
                namespace, *dimensions = (part.strip().strip('"') for part in found["schema"].split(","))
                yield Use(where, namespace, found["name"], dict.fromkeys(dimensions))


def _use(where: str, values: Mapping[str, Any]) -> Use:
    return Use(where, values["namespace"], values["metric_name"], values["dimensions"] or {})


def _widgets(plan: Plan) -> Iterator[tuple[str, list[list[Any]]]]:
    """Yield the metrics of each widget that has any."""
    for dashboard in plan.every("aws_cloudwatch_dashboard"):
        for widget in json.loads(dashboard.values["dashboard_body"])["widgets"]:
            if metrics := widget["properties"].get("metrics"):
                yield f"{dashboard.address}, {widget['properties'].get('title', 'a widget without a title')}", metrics


def _texts(metrics: Sequence[Sequence[Any]]) -> list[str]:
    """Return the expressions among the metrics of a widget."""
    return [
        part["expression"] for metric in metrics for part in metric if isinstance(part, dict) and "expression" in part
    ]


# Metrics that are written


def _faults(plan: Plan, use: Use) -> list[str]:
    if use.namespace in catalogue()["namespaces"]:
        return _service_faults(plan, use)
    functions = _functions_by_namespace(plan).get(use.namespace)
    if functions:
        return _own_faults(use, functions)
    known = ", ".join(sorted({*catalogue()["namespaces"], *_functions_by_namespace(plan)}))
    return [f"nothing writes metrics into the namespace {use.namespace}; aws_checks/metrics.json has {known}"]


def _service_faults(plan: Plan, use: Use) -> list[str]:
    namespace = catalogue()["namespaces"][use.namespace]
    named = [group for group in namespace["metrics"] if use.name in group["names"]]
    if not named:
        names = {name for group in namespace["metrics"] for name in group["names"]}
        return [f"{use.namespace} has no metric {use.name}{_hint(use.name, names)} ({namespace['source']})"]
    groups = [group for group in named if any(set(by) == set(use.dimensions) for by in group["by"])]
    if not groups:
        return [f"{use.title} has {_sets(named)}, not {_set(use.dimensions)} ({namespace['source']})"]
    resources: dict[str, Resource] = {}
    for name, value in use.dimensions.items():
        fault = _dimension_fault(plan, namespace["dimensions"], use, name, value, resources)
        if fault:
            return [fault]
    faults = [_condition_fault(group, use, resources) for group in groups]
    return [] if None in faults else [faults[0] or ""]


def _dimension_fault(
    plan: Plan,
    dimensions: Mapping[str, Any],
    use: Use,
    name: str,
    value: str | None,
    resources: dict[str, Resource],
) -> str | None:
    """Return the fault of a dimension's value, or None; put the resource that it names into `resources`."""
    known = dimensions.get(name)
    if known is None or value is None:
        return None
    if "values" in known:
        return None if value in known["values"] else f"{use.title}: {name} is {value}{_hint(value, known['values'])}"
    if "in" in known:
        table = next(
            one
            for one in plan.every(dimensions[known["in"]]["type"])
            if one.value("name") == use.dimensions[known["in"]]
        )
        names = [block[known["attribute"]] for block in table.value(known["block"]) or ()]
        return (
            None
            if value in names
            else f"{use.title}: {table.address} has no {known['block']} {value}{_hint(value, names)}"
        )
    candidates = {one.value(known["attribute"]): one for one in plan.every(known["type"])}
    if value in candidates:
        resources[name] = candidates[value]
        return None
    return f"{use.title}: no {known['type']} has the {known['attribute']} {value}{_hint(value, candidates)}"


def _condition_fault(group: Mapping[str, Any], use: Use, resources: Mapping[str, Resource]) -> str | None:
    resource = resources.get(group.get("of", ""))
    if resource is None:
        return None
    for attribute, wanted in group["only"].items():
        text = wanted.format(**use.dimensions) if isinstance(wanted, str) else wanted
        if resource.value(attribute) != text:
            return (
                f"{use.title} by {_set(use.dimensions)} is written if {attribute} is {text}, and {resource.address} "
                f"has {resource.value(attribute)}: {group['because']}"
            )
    return None


def _own_faults(use: Use, functions: Mapping[str, Resource]) -> list[str]:
    written = {package: written_by(package) for package in functions if package in catalogue()["functions"]}
    service = use.dimensions.get("service")
    if service is not None:
        written = {package: metrics for package, metrics in written.items() if package == service}
    metrics = {metric for some in written.values() for metric in some}
    if (frozenset(use.dimensions), use.name) in metrics:
        return []
    if not metrics:
        return [f"{use.title}: no function writes metrics with the service {service}{_hint(service or '', functions)}"]
    named = sorted(_set(dimensions) for dimensions, name in metrics if name == use.name)
    if named:
        return [f"{use.title} is written by {' and '.join(named)}, not {_set(use.dimensions)}"]
    return [f"no function writes {use.title}{_hint(use.name, {name for _, name in metrics})}"]


def _functions_by_namespace(plan: Plan) -> dict[str, dict[str, Resource]]:
    """Return the functions that write metrics, by namespace and package."""
    found: dict[str, dict[str, Resource]] = {}
    for function in plan.every("aws_lambda_function"):
        package = _package(function)
        variables = function.value("environment", 0, "variables") or {}
        if package in catalogue()["functions"]:
            namespace = variables.get(catalogue()["functions"][package]["namespace"], "")
            found.setdefault(namespace, {})[package] = function
    return found


def _package(function: Resource) -> str:
    return str(function.value("handler")).partition(".")[0]


def _silenced(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield functions whose metrics Lambda's own log filter drops."""
    for functions in _functions_by_namespace(plan).values():
        for function in functions.values():
            level = function.value("logging_config", 0, "application_log_level")
            if level not in _LEVELS_OF_METRICS:
                what = f"application_log_level {level} drops the function's metrics, whose lines have no level"
                yield function.address, f"{what}: set it to INFO, and the level of the function's own logger instead"


# Metric math and widgets of alarms


def _expressions(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield expressions that name a metric which does not exist."""
    for alarm in plan.every("aws_cloudwatch_metric_alarm"):
        queries = alarm.value("metric_query") or ()
        ids = {query["id"] for query in queries}
        for query in queries:
            yield from _unknown_ids(alarm.address, query["expression"] or "", ids)
    for where, metrics in _widgets(plan):
        ids = {part["id"] for metric in metrics for part in metric if isinstance(part, dict) and "id" in part}
        for expression in _texts(metrics):
            if not _SEARCH.fullmatch(expression):
                yield from _unknown_ids(where, expression, ids)


def _unknown_ids(where: str, expression: str, ids: set[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(set(_ID.findall(expression)) - ids):
        yield where, f"the expression {expression} names {name}, but no metric has that id{_hint(name, ids)}"


def _alarm_widgets(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield alarms that a dashboard shows and that do not exist."""
    made = {alarm.value("arn") for alarm in plan.every("aws_cloudwatch_metric_alarm")}
    for dashboard in plan.every("aws_cloudwatch_dashboard"):
        for widget in json.loads(dashboard.values["dashboard_body"])["widgets"]:
            for arn in sorted({*widget["properties"].get("alarms", ())} - made):
                yield dashboard.address, f"no alarm has the ARN {arn}, which a widget shows"


# Saved queries


def _queries(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield log groups that do not exist, and fields that nothing writes into existing ones."""
    groups = {group.value("name") for group in plan.every("aws_cloudwatch_log_group")}
    for query in plan.every("aws_cloudwatch_query_definition"):
        for name in query.value("log_group_names") or ():
            if name not in groups:
                yield query.address, f"no aws_cloudwatch_log_group has the name {name}{_hint(name, groups)}"
        fields, dropped = _fields(plan, query)
        for field in sorted(_read(query.values["query_string"]) - fields):
            because = dropped.get(field)
            yield (
                query.address,
                f"the field {field} is dropped: {because}"
                if because
                else f"nothing writes the field {field} into these logs{_hint(field, fields)}",
            )


def _fields(plan: Plan, query: Resource) -> tuple[set[str], dict[str, str]]:
    """Return the fields of a query's logs, and those that a log filter drops, with the reason."""
    groups, known = set(query.value("log_group_names") or ()), catalogue()["log_fields"]
    fields: set[str] = set()
    dropped: dict[str, str] = {}
    for function in plan.every("aws_lambda_function"):
        if function.value("logging_config", 0, "log_group") in groups:
            own = known.get(_package(function), {"fields": []})["fields"]
            fields |= {*own, *known["runtime"]["fields"], *_measures(_package(function))}
            platform = known["aws_lambda_function"]
            level = function.value("logging_config", 0, "system_log_level")
            if level in platform["only"]["system_log_level"]:
                fields |= set(platform["fields"])
            else:
                why = f"system_log_level of {function.address} is {level}, and {platform['because']}"
                dropped |= dict.fromkeys(platform["fields"], why)
    for machine in plan.every("aws_sfn_state_machine"):
        destination = str(machine.value("logging_configuration", 0, "log_destination"))
        if any(destination.endswith(f":log-group:{name}:*") for name in groups):
            fields |= set(known["aws_sfn_state_machine"]["fields"])
    return fields, dropped


def _measures(package: str) -> set[str]:
    return {name for _, name in written_by(package)} if package in catalogue()["functions"] else set()


def _read(query: str) -> set[str]:
    """Return the fields that a query of Logs Insights reads, except those that Insights adds."""
    tokens = _TOKEN.findall(re.sub(r"(?m)^\s*#.*$", "", query))
    renamed = {after for before, after in pairwise(tokens) if before == "as"}
    fields = {token for token in tokens if token[0] not in "\"'/@"}
    return fields - _COMMANDS - _WORDS - _FUNCTIONS - renamed


# Messages


def _hint(name: str, known: Mapping[str, Any] | set[str] | Sequence[str]) -> str:
    """Return the known name that is most like a wrong one, as a question; empty if none is."""
    found = get_close_matches(name, [str(one) for one in known], 1, 0.7)
    return f": is {found[0]} meant?" if found else ""


def _sets(groups: Sequence[Mapping[str, Any]]) -> str:
    return " or ".join(sorted({_set(by) for group in groups for by in group["by"]}))


def _set(dimensions: Mapping[str, Any] | frozenset[str] | Sequence[str]) -> str:
    return f"{{{', '.join(sorted(dimensions))}}}"
