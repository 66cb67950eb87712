"""Plans of the root, the examples and the deploy roles, with every value known (`offline.py`), and a state as a plan.

The plans are made once for all that read them: they are kept in `build/plans/` under the hash of their sources.
"""

from __future__ import annotations

import copy
import fcntl
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.terraform.copy import LEFT_BEHIND
from scripts.terraform.offline import ACCOUNT, OTHER_REGION, REGION, Configuration, partition, plan_offline
from scripts.terraform.stack import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CACHE = ROOT / "build" / "plans"
NEIGHBOUR = "darkroom-uploads"  # the hardest one: names of the first pipeline begin with it

# Every option turned on in one of the two. `EVERYTHING` is what docs/architecture.md shows, and a notification of
# findings is not part of an image's way.
EVERYTHING: dict[str, Any] = {
    "name": "darkroom",
    "region": REGION,
    "access_log": {"bucket": "access-logs"},
    "api": {
        "api_keys": ["shop"],
        "authorization": {
            "type": "COGNITO_USER_POOLS",
            "user_pool_arns": [f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_A1b2C3d4E"],
            "scopes": ["images/write"],
        },
        "cors_origins": ["https://example.com", "https://example.org"],
        "logs": True,
        "try_page": True,
        "web_acl": {
            "arn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/account/11111111-2222-3333-4444-555555555555"
        },
    },
    "notifications": {"me": {"protocol": "email", "endpoint": "me@example.com"}},
    "observe": {
        "alarm_topic_arns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        "budget": {"usd": 20},
        "expected_every": 24,
        "schemas": True,
    },
    "originals": {"noncurrent_days": 30, "cors_origins": ["https://example.com"]},
    "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/darkroom-boundary",
    "processed": {"events": True},
    "reconcile": {"repair": True},
    "tags": {"Team": "images"},
}
OTHERWISE: dict[str, Any] = {
    "name": "darkroom",
    "region": REGION,
    "api": {
        "authorization": {
            "type": "LAMBDA",
            "function_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:darkroom-authorizer",
        },
        "cors_origins": ["https://example.com"],
    },
    "logs": {"level": "WARN"},
    "observe": {"alarm_topic_arns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"], "findings": True},
    "reconcile": {},
    "tracing": False,
    "workflow_type": "STANDARD",
}


def configurations() -> list[Configuration]:
    """Return the root with everything turned on and otherwise, its neighbours, every example and the deploy roles."""
    with_findings = {**EVERYTHING, "observe": {**EVERYTHING["observe"], "findings": True}}
    return [
        Configuration("root", variables=EVERYTHING),
        Configuration("root otherwise", variables=OTHERWISE),
        Configuration("root of another name", variables={**with_findings, "name": NEIGHBOUR}),
        Configuration("root in another region", variables=_moved(with_findings, OTHER_REGION), alias="elsewhere"),
        *(Configuration(folder, folder) for folder in _examples()),
        Configuration("API logging", "examples/api_account_logging", {"region": REGION}),
        Configuration(
            "deploy roles",
            "examples/github_deploy_role",
            {"name": "darkroom", "region": REGION, "repository": "octo-org/photos", "state_bucket": "octo-org-state"},
        ),
    ]


def _examples() -> list[str]:
    root = ROOT / "terraform"
    return [
        path.parent.relative_to(root).as_posix() for path in sorted((root / "modules").glob("*/examples/*/main.tf"))
    ]


def _moved(variables: Mapping[str, Any], region: str) -> Any:  # noqa: ANN401 - variables of any shape
    """Return the variables with all regions and ARNs changed to another region."""
    moved = json.dumps(variables).replace(REGION, region)
    return json.loads(moved.replace("arn:aws:", f"arn:{partition(region)}:"))


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a configuration would create.

    Attributes:
        address: Its address, with the keys of its modules and its own.
        module: Address of its module, empty for the root.
        type: Its type, such as `aws_sqs_queue`.
        index: Its own key, if it has one.
        values: Its attributes. In a plan, computed ones follow `offline.py`, or are random strings.
    """

    address: str
    module: str
    type: str
    index: str | int | None
    values: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the resource in the configuration, without its key."""
        return re.sub(r"\[[^]]*\]$", "", self.address).rpartition(".")[2]

    def value(self, *path: str | int) -> Any:  # noqa: ANN401 - a value of any type
        """Return the attribute at a path, or None."""
        found: Any = self.values
        for step in path:
            try:
                found = found[step]
            except (IndexError, KeyError, TypeError):
                return None
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration with all its values.

    Attributes:
        name: Name of its configuration.
        region: Region that it is for.
        resources: Resources by address.
    """

    name: str
    region: str
    resources: Mapping[str, Resource] = field(repr=False)

    def every(self, *types: str) -> list[Resource]:
        """Return the resources of some types, by address."""
        return [self.resources[address] for address in sorted(self.resources) if self.resources[address].type in types]

    def changed(self, address: str, path: Sequence[str | int], change: Callable[[Any], Any]) -> Plan:
        """Return a plan with one attribute changed: tests plant mistakes with it.

        Args:
            address: Address of the resource.
            path: The attribute: names, and numbers of blocks.
            change: Gets the attribute's value, or None, and returns the new one.

        Raises:
            KeyError: The plan has no such resource.
        """
        resource = self.resources[address]
        values = copy.deepcopy(dict(resource.values))
        within: Any = values
        for step in path[:-1]:
            within = within[step]
        before = within.get(path[-1]) if isinstance(within, dict) else within[path[-1]]
        within[path[-1]] = change(before)
        return replace(self, resources={**self.resources, address: replace(resource, values=values)})


def load_plans() -> list[Plan]:
    """Return the plan of each configuration, from the cache if their sources have not changed.

    Raises:
        TerraformError: Terraform is missing or has failed.
    """
    file = CACHE / f"{digest(ROOT)}.json"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # steps run side by side: the second one waits for the plans of the first
        if not file.exists():
            wanted = configurations()
            roots = [one for one in wanted if one.folder == "."]
            documents = plan_offline(roots, [one for one in wanted if one not in roots])
            for former in CACHE.glob("*.json*"):
                former.unlink()
            unfinished = file.with_suffix(".json.part")
            unfinished.write_text(json.dumps(documents))
            unfinished.rename(file)
    return [read_plan(document) for document in json.loads(file.read_text())]


def load_root() -> Plan:
    """Return the plan of the root with everything turned on.

    Raises:
        TerraformError: Terraform is missing or has failed.
    """
    return load_plans()[0]


def read_plan(document: Mapping[str, Any]) -> Plan:
    """Return the plan in a document of `plan_offline`."""
    resources = [Resource(**one) for one in document["resources"]]
    return Plan(document["name"], document["region"], {resource.address: resource for resource in resources})


def read_state(state: Any) -> Plan:  # noqa: ANN401 - JSON from a file
    """Return the resources of a state in Terraform's JSON form, whose values are all known.

    Raises:
        ValueError: The document is not a state, or the state of nothing.
    """
    if not isinstance(state, dict) or "values" not in state:
        raise ValueError("not a state in JSON. After an apply, write one with `terraform show -json > state.json`.")
    resources = [
        Resource(one["address"], module.get("address", ""), one["type"], one.get("index"), one["values"])
        for module in _modules(state["values"]["root_module"])
        for one in module.get("resources", [])
        if one["mode"] == "managed"
    ]
    return Plan("state", "", {resource.address: resource for resource in resources})


def _modules(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield module
    for child in module.get("child_modules", []):
        yield from _modules(child)


def digest(root: Path) -> str:
    """Return the hash of the sources of the plans: configuration, contracts, provider, and the code that makes them.

    It leaves out what Terraform or a user adds to the folder: state, variables, a backend.
    """
    files = [path for folder in ("terraform", "events") for path in (root / folder).rglob("*") if path.is_file()]
    files = [path for path in files if not any(fnmatch(part, one) for part in path.parts for one in LEFT_BEHIND)]
    code = (Path(__file__), *(Path(__file__).with_name(name) for name in ("copy.py", "offline.py")), LOCK)
    found = hashlib.sha256()
    for file in (*sorted(files), *code):
        found.update(f"\0{file.name if file in code else file.relative_to(root)}\0".encode())
        found.update(file.read_bytes())
    return found.hexdigest()
