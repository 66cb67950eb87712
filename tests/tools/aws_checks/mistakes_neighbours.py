from __future__ import annotations

from tests.tools.aws_checks.planting import Mistake, in_json, set_to

OTHERS = ("root of another name", "root in another region")


def _widen(policy: dict[str, list[dict[str, object]]]) -> None:
    policy["Statement"][0]["Resource"] = "arn:aws:dynamodb:*:*:table/darkroom-*"


MISTAKES = {
    "a bucket whose name has no region": Mistake(
        "neighbours",
        "module.originals.aws_s3_bucket.this",
        ["bucket"],
        lambda _: "darkroom-originals-123456789012-cn-north-1",
        "has the same name in all regions of an account",
        among=OTHERS,
    ),
    "a queue whose name does not have the pipeline's": Mistake(
        "neighbours",
        "module.uploads.aws_sqs_queue.this",
        ["name"],
        set_to("darkroom-uploads-uploads"),
        "has the same name in a region",
        among=OTHERS,
    ),
    "a grant on the neighbour's table": Mistake(
        "neighbours",
        'module.reconcile[0].aws_iam_role_policy.permissions["compare"]',
        ["policy"],
        in_json(_widen),
        "allows access to module.images.aws_dynamodb_table.this of root of another name",
        among=OTHERS,
    ),
    "a bucket of the neighbour's name": Mistake(
        "neighbours",
        "module.originals.aws_s3_bucket.this",
        ["bucket"],
        set_to("darkroom-uploads-try-page-123456789012-eu-central-1"),
        "has the same name in a region",
        among=OTHERS,
    ),
}
