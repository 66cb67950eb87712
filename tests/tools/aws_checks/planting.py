"""Mistakes to plant in good plans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.terraform.plans import Plan


@dataclass(frozen=True)
class Mistake:
    """One mistake, and the finding that it must lead to.

    Attributes:
        check: Name of the check in `check_aws.CHECKS`.
        address: The resource that gets it.
        path: The attribute: names, and numbers of blocks.
        change: Gets the attribute's value and returns the wrong one.
        finding: A part of what the finding says.
        plan: The plan that gets it, and that alone is checked,
        among: unless the check compares it with these others.
    """

    check: str
    address: str
    path: Sequence[str | int]
    change: Callable[[Any], Any]
    finding: str
    plan: str = "root"
    among: Sequence[str] = ()

    def plant(self, plans: Sequence[Plan]) -> list[Plan]:
        """Return the plans to check: the one with the mistake, and those that it is compared with."""
        named = {plan.name: plan for plan in plans}
        return [
            named[self.plan].changed(self.address, self.path, self.change),
            *(named[name] for name in self.among),
        ]


def in_policy(
    check: str, address: str, change: Callable[[Any], Any], finding: str, attribute: str = "policy"
) -> Mistake:
    """Return a mistake in a policy of the root."""
    return Mistake(check, address, [attribute], change, finding)


def in_deploy_role(check: str, address: str, change: Callable[[Any], Any], finding: str) -> Mistake:
    """Return a mistake in a policy of the deploy roles, which is compared with the root."""
    return Mistake(check, address, ["policy"], change, finding, plan="deploy roles", among=("root", "root otherwise"))


def set_to(value: Any) -> Callable[[Any], Any]:
    """Return a change that replaces an attribute's value."""
    return lambda _: value


def replaced(old: str, new: str) -> Callable[[Any], Any]:
    """Return a change that replaces a part of an attribute's value, which may be JSON of any shape.

    Raises:
        AssertionError: The value has no such part: the mistake would not be planted.
    """

    def change(value: Any) -> Any:
        text = value if isinstance(value, str) else json.dumps(value)
        assert old in text, f"{old} is not in {text}"
        return text.replace(old, new) if isinstance(value, str) else json.loads(text.replace(old, new))

    return change


def in_json(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    """Return a change of an attribute that holds JSON: `change` gets the parsed value and changes it in place."""

    def changed(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return changed


def without(*actions: str) -> Any:
    """Take actions out of a policy."""

    def change(policy: dict[str, Any]) -> None:
        for statement in policy["Statement"]:
            listed = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            statement["Action"] = [action for action in listed if action not in actions]

    return in_json(change)


def with_statement(**statement: Any) -> Any:
    """Add a statement to a policy."""
    return in_json(lambda policy: policy["Statement"].append({"Sid": "Planted", "Effect": "Allow", **statement}))


def no_statement(sid: str) -> Any:
    """Take a statement out of a policy."""

    def change(policy: dict[str, Any]) -> None:
        kept = [statement for statement in policy["Statement"] if statement.get("Sid") != sid]
        assert len(kept) < len(policy["Statement"]), sid
        policy["Statement"] = kept

    return in_json(change)
