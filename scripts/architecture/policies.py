"""Permissions of a plan's roles, as far as they are known at plan."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from scripts.terraform.plan import Plan, Resource

DOCUMENT = "aws_iam_policy_document"
# AWS's own policies for functions allow logs, traces and reading of their event sources: nothing that hands on.
HARMLESS = re.compile(r"arn:[^:]+:iam::aws:policy/(?:service-role/AWSLambda\w+ExecutionRole|AWSXRay\w+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """An allowed statement.

    Attributes:
        actions: IAM actions, with wildcards.
        resources: ARNs, with wildcards.
        referred: Resources whose ARN is not known yet.
        events: Pattern of the events to which PutEvents is restricted.
        by: Address of the policy.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    referred: tuple[Resource, ...]
    events: Mapping[str, Any] = field(compare=False)
    by: str


class Policies:
    """The policies of a plan.

    Attributes:
        unclear: Questions that the plan does not answer, as sentences.
    """

    def __init__(self, plan: Plan, types: frozenset[str], matters: Callable[[Collection[str]], bool]) -> None:
        """Take a plan.

        Args:
            plan: The plan.
            types: Types of resources to look for where an ARN is not known yet.
            matters: Predicate for actions whose resources must not remain unclear.
        """
        self._plan = plan
        self._types = types
        self._matters = matters
        self.unclear: list[str] = []

    def of(self, role: Resource) -> Iterator[Statement]:
        """Yield the statements of a role."""
        # If the role has no policies itself, they are separate resources.
        inline = role.value("inline_policy") if "inline_policy" in role.expressions else None
        for number, _ in enumerate(inline or []):
            yield from self._policy(role, "inline_policy", number, "policy")
        for policy in self._plan.every("aws_iam_role_policy"):
            if role in self._roles(policy):
                yield from self._policy(policy, "policy")
        for attachment in self._plan.every("aws_iam_role_policy_attachment"):
            if role in self._roles(attachment):
                yield from self._attached(attachment)

    def _roles(self, policy: Resource) -> list[Resource]:
        name = policy.text("role")
        if name:
            return [role for role in self._plan.every("aws_iam_role") if name in (role.text("name"), role.text("id"))]
        return self._plan.referred(policy, ("role",), {"aws_iam_role"})

    def _attached(self, attachment: Resource) -> Iterator[Statement]:
        arn = attachment.text("policy_arn")
        if HARMLESS.match(arn):
            return
        found = [one for one in self._plan.every("aws_iam_policy") if arn and arn == one.text("arn")]
        found = found or self._plan.referred(attachment, ("policy_arn",), {"aws_iam_policy"})
        if not found:
            self.unclear.append(
                f"{attachment.address} attaches {arn or 'a policy'} which is not in the plan: "
                "what it allows is not looked at."
            )
        for policy in found:
            yield from self._policy(policy, "policy")

    def _policy(self, resource: Resource, *path: str | int) -> Iterator[Statement]:
        text = resource.text(*path)
        if text:
            yield from _parsed(text, resource.address)
            return
        documents = self._plan.referred(resource, path, {DOCUMENT})
        if not documents:
            self.unclear.append(
                f"{resource.address} allows what is known only once it is applied: use a data source {DOCUMENT}, "
                "whose statements show before, or look at a plan made after an apply."
            )
        for document in documents:
            yield from self._document(document, resource.address)

    def _document(self, document: Resource, by: str) -> Iterator[Statement]:
        if document.text("json"):
            yield from _parsed(document.text("json"), by)
            return
        for source in self._plan.referred(document, ("source_policy_documents",), {DOCUMENT}):
            yield from self._document(source, by)
        for number, statement in enumerate(document.value("statement") or []):
            if statement.get("effect") not in (None, "Allow"):
                continue
            known = tuple(one for one in statement.get("resources") or [] if one)
            unknown = document.is_unknown("statement", number, "resources")
            referred = self._referred(document, number) if unknown else ()
            if unknown and not referred and self._matters(statement.get("actions") or []):
                self.unclear.append(
                    f"{document.address}, statement {statement.get('sid') or number + 1}, allows "
                    f"{', '.join(statement.get('actions') or [])} on what is known only once it is applied."
                )
            conditions = {
                one["variable"]: one["values"]
                for one in statement.get("condition") or []
                if (one.get("test") or "").startswith("StringEquals")
            }
            yield Statement(tuple(statement.get("actions") or ()), known, referred, _events(conditions), by)

    def _referred(self, document: Resource, number: int) -> tuple[Resource, ...]:
        """Return the unknown resources of a statement.

        A dynamic statement is not in the configuration: its static neighbours are identified by their ids.
        """
        declared = document.expressions.get("statement", [])
        sid = document.value("statement", number, "sid")
        places = [at for at, one in enumerate(declared) if sid and one.get("sid", {}).get("constant_value") == sid]
        if not places and len(declared) == len(document.value("statement")):
            places = [number]
        references = [one for at in places for one in document.references("statement", at, "resources")]
        return tuple(self._plan.follow(document, references, self._types))


@cache
def _parsed(text: str, by: str) -> tuple[Statement, ...]:
    """Return the statements of a policy in JSON."""
    statements = _listed(json.loads(text).get("Statement", []))
    return tuple(
        Statement(
            tuple(_listed(one.get("Action", []))),
            tuple(_listed(one.get("Resource", []))),
            (),
            _events(
                {
                    variable: _listed(values)
                    for test, variables in one.get("Condition", {}).items()
                    if test.startswith("StringEquals")
                    for variable, values in variables.items()
                }
            ),
            by,
        )
        for one in statements
        if one.get("Effect") == "Allow"
    )


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - IAM takes one for a list of one
    return value if isinstance(value, list) else [value]


def _events(conditions: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the pattern of the events that conditions on PutEvents allow."""
    names = {"events:source": "source", "events:detail-type": "detail-type"}
    return {names[variable]: values for variable, values in conditions.items() if variable in names}
