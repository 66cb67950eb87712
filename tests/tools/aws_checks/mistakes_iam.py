from __future__ import annotations

from tests.tools.aws_checks.planting import Mistake, no_statement, replaced, with_statement, without

PIPELINE = 'module.process_image.aws_iam_role_policy.permissions["pipeline"]'
RECORD = 'module.record_image.aws_iam_role_policy.permissions["record"]'
READ = 'aws_iam_policy.this["read"]'
WRITE = 'aws_iam_policy.this["write"]'
GOVERN = 'aws_iam_policy.this["govern"]'

MISTAKES = {
    "replaced s3:PutObject s3:PutObjects": Mistake(
        "iam", PIPELINE, ["policy"], replaced("s3:PutObject", "s3:PutObjects"), "AWS has no action s3:PutObjects"
    ),
    "replaced sns:Publish sns:publishes": Mistake(
        "iam", RECORD, ["policy"], replaced("sns:Publish", "sns:publishes"), "AWS has no action sns:publishes"
    ),
    "with statement s3:GetObject arn:aws:s3:::darkroom-processed-123456789012": Mistake(
        "iam",
        PIPELINE,
        ["policy"],
        with_statement(Action="s3:GetObject", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
        "s3:GetObject takes arn:",
    ),
    "with statement logs:DescribeLogGroups arn:aws:logs:eu-central-1:123456789012:*": Mistake(
        "iam",
        PIPELINE,
        ["policy"],
        with_statement(Action="logs:DescribeLogGroups", Resource="arn:aws:logs:eu-central-1:123456789012:*"),
        "logs:DescribeLogGroups takes no resource",
    ),
    "replaced events:source events:sauce": Mistake(
        "iam", PIPELINE, ["policy"], replaced("events:source", "events:sauce"), "events:sauce is not a condition key"
    ),
    "replaced StringEqualsIfExists NumericEquals": Mistake(
        "iam", PIPELINE, ["policy"], replaced("StringEqualsIfExists", "NumericEquals"), "NumericEquals does not compare"
    ),
    "without dynamodb:UpdateItem": Mistake(
        "iam", RECORD, ["policy"], without("dynamodb:UpdateItem"), "PutVersion needs dynamodb:UpdateItem"
    ),
    "without sqs:SendMessage": Mistake("iam", RECORD, ["policy"], without("sqs:SendMessage"), "needs sqs:SendMessage"),
    "without events:PutEvents": Mistake(
        "iam", PIPELINE, ["policy"], without("events:PutEvents"), "events:PutEvents in process_image"
    ),
    "without s3:ListBucketVersions": Mistake(
        "iam",
        'module.reconcile[0].aws_iam_role_policy.permissions["compare"]',
        ["policy"],
        without("s3:ListBucketVersions"),
        "s3:ListObjectVersions in reconcile",
    ),
    "without lambda:InvokeFunction": Mistake(
        "iam",
        'module.api[0].aws_iam_role_policy.permissions["routes"]',
        ["policy"],
        without("lambda:InvokeFunction"),
        "POST /uploads needs lambda:InvokeFunction",
    ),
    "without sqs:DeleteMessage": Mistake(
        "iam",
        "module.process_image.aws_iam_role_policy.runtime",
        ["policy"],
        without("sqs:DeleteMessage"),
        "sqs:DeleteMessage",
    ),
    "with statement s3:DeleteBucket arn:aws:s3:::darkroom-processed-123456789012": Mistake(
        "iam",
        PIPELINE,
        ["policy"],
        with_statement(Action="s3:DeleteBucket", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
        "Planted allows s3:DeleteBucket",
    ),
    "no statement SenderEventRules": Mistake(
        "iam",
        "module.uploads.aws_sqs_queue.this",
        ["policy"],
        no_statement("SenderEventRules"),
        "events.amazonaws.com must be",
    ),
    "without states:DescribeStateMachine": Mistake(
        "iam",
        READ,
        ["policy"],
        without("states:DescribeStateMachine"),
        "needs states:DescribeStateMachine",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "without iam:UpdateRoleDescription": Mistake(
        "iam",
        WRITE,
        ["policy"],
        without("iam:UpdateRoleDescription"),
        "needs iam:UpdateRoleDescription",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    'replaced "scheduler.amazonaws.com", ': Mistake(
        "iam",
        GOVERN,
        ["policy"],
        replaced('"scheduler.amazonaws.com",', ""),
        "for scheduler.amazonaws.com",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "with statement lambda:AddPermission arn:aws:lambda:eu-central-1:123456789012:function:*": Mistake(
        "iam",
        WRITE,
        ["policy"],
        with_statement(Action="lambda:AddPermission", Resource="arn:aws:lambda:eu-central-1:123456789012:function:*"),
        "lambda:AddPermission on",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "without dynamodb:Scan": Mistake(
        "iam",
        "aws_iam_policy.boundary",
        ["policy"],
        without("dynamodb:Scan"),
        "needs dynamodb:Scan",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "trust lambda.amazonaws.com": Mistake(
        "iam",
        "module.record_image.aws_iam_role.this",
        ["assume_role_policy"],
        replaced("states.amazonaws.com", "lambda.amazonaws.com"),
        "cannot assume the role",
    ),
    "trust stateMachine:darkroom-other": Mistake(
        "iam",
        "module.record_image.aws_iam_role.this",
        ["assume_role_policy"],
        replaced("stateMachine:darkroom-record", "stateMachine:darkroom-other"),
        "cannot assume the role",
    ),
    "trust execute-api.amazonaws.com": Mistake(
        "iam",
        "module.api[0].aws_iam_role.this",
        ["assume_role_policy"],
        replaced("apigateway.amazonaws.com", "execute-api.amazonaws.com"),
        "cannot assume the role",
    ),
    "trust events.amazonaws.com": Mistake(
        "iam",
        "aws_iam_role.reconcile_schedule[0]",
        ["assume_role_policy"],
        replaced("scheduler.amazonaws.com", "events.amazonaws.com"),
        "cannot assume the role",
    ),
}
