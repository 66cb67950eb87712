"""Check that host names and ARNs in a plan are those of its partition and region.

Host names are compared with the ones that botocore resolves for the service, from AWS's own list of endpoints.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from scripts.aws_checks.findings import Finding
from scripts.terraform.offline import partition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.terraform.plans import Plan

# `<labels>.<region>.amazonaws.com` and its siblings. A service principal without labels before it looks the same.
_HOST = re.compile(
    r"https?://([a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov))(?=[/\\\"' ]|$)"
)
_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):[0-9]*:")

# Services whose ARNs have no region, by AWS's service authorization reference. S3's have no account either.
_GLOBAL = {"budgets", "iam", "s3", "sts"}


def check(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Yield host names that botocore does not resolve to, and ARNs of another partition or region."""
    for plan in plans:
        for resource in plan.resources.values():
            text = json.dumps(resource.values)
            for host in sorted(set(_HOST.findall(text))):
                yield from _host(plan, resource.address, host)
            for match in {found[0]: found for found in _ARN.finditer(text)}.values():
                yield from _arn(plan, resource.address, match)


def _host(plan: Plan, where: str, host: str) -> Iterator[Finding]:
    known = _hosts(plan.region)
    if not any(host == one or host.endswith(f".{one}") for one in known):
        yield Finding(plan.name, where, f"the host {host} is not an endpoint of an AWS service in {plan.region}")


def _arn(plan: Plan, where: str, arn: re.Match[str]) -> Iterator[Finding]:
    if arn["partition"] != partition(plan.region):
        yield Finding(plan.name, where, f"{arn[0]}… is an ARN of another partition than {partition(plan.region)}")
    elif arn["region"] not in {plan.region, ""}:
        yield Finding(plan.name, where, f"{arn[0]}… is an ARN of another region than {plan.region}")
    elif arn["region"] and arn["service"] in _GLOBAL:
        yield Finding(plan.name, where, f"{arn[0]}… names a region, and ARNs of {arn['service']} have none")


@cache
def _hosts(region: str) -> frozenset[str]:
    """Return the hosts of all services in a region."""
    resolver = EndpointResolver(Loader().load_data("endpoints"))
    found = set()
    for service in _services():
        endpoint = resolver.construct_endpoint(service, region)
        if endpoint:
            found.add(endpoint["hostname"])
            found.add(endpoint.get("sslCommonName", endpoint["hostname"]))
    suffix = resolver.get_partition_dns_suffix(partition(region))
    found.add(f"execute-api.{region}.{suffix}")  # hosts of APIs are in no list
    return frozenset(found - {f"s3.{suffix}"})  # S3's global host redirects, or serves one region only


def _services() -> list[str]:
    data = Loader().load_data("endpoints")
    return sorted({service for one in data["partitions"] for service in one["services"]})
