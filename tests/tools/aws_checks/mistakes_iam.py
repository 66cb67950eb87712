from __future__ import annotations

from tests.tools.aws_checks.planting import in_deploy_role, in_policy, no_statement, replaced, with_statement, without

PIPELINE = 'module.process_image.aws_iam_role_policy.permissions["pipeline"]'
RECORD = 'module.record_image.aws_iam_role_policy.permissions["record"]'
READ = 'aws_iam_policy.this["read"]'
WRITE = 'aws_iam_policy.this["write"]'
GOVERN = 'aws_iam_policy.this["govern"]'

MISTAKES = {
    "replaced s3:PutObject s3:PutObjects": in_policy(
        "iam", PIPELINE, replaced("s3:PutObject", "s3:PutObjects"), "AWS has no action s3:PutObjects"
    ),
    "replaced sns:Publish sns:publishes": in_policy(
        "iam", RECORD, replaced("sns:Publish", "sns:publishes"), "AWS has no action sns:publishes"
    ),
    "with statement s3:GetObject arn:aws:s3:::darkroom-processed-123456789012": in_policy(
        "iam",
        PIPELINE,
        with_statement(Action="s3:GetObject", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
        "s3:GetObject takes arn:",
    ),
    "with statement logs:DescribeLogGroups arn:aws:logs:eu-central-1:123456789012:*": in_policy(
        "iam",
        PIPELINE,
        with_statement(Action="logs:DescribeLogGroups", Resource="arn:aws:logs:eu-central-1:123456789012:*"),
        "logs:DescribeLogGroups takes no resource",
    ),
    "replaced events:source events:sauce": in_policy(
        "iam", PIPELINE, replaced("events:source", "events:sauce"), "events:sauce is not a condition key"
    ),
    "replaced StringEqualsIfExists NumericEquals": in_policy(
        "iam", PIPELINE, replaced("StringEqualsIfExists", "NumericEquals"), "NumericEquals does not compare"
    ),
    "without dynamodb:UpdateItem": in_policy(
        "iam", RECORD, without("dynamodb:UpdateItem"), "PutVersion needs dynamodb:UpdateItem"
    ),
    "without sqs:SendMessage": in_policy("iam", RECORD, without("sqs:SendMessage"), "needs sqs:SendMessage"),
    "without events:PutEvents": in_policy(
        "iam", PIPELINE, without("events:PutEvents"), "events:PutEvents in process_image"
    ),
    "without s3:ListBucketVersions": in_policy(
        "iam",
        'module.reconcile[0].aws_iam_role_policy.permissions["compare"]',
        without("s3:ListBucketVersions"),
        "s3:ListObjectVersions in reconcile",
    ),
    "without lambda:InvokeFunction": in_policy(
        "iam",
        'module.api[0].aws_iam_role_policy.permissions["routes"]',
        without("lambda:InvokeFunction"),
        "POST /uploads needs lambda:InvokeFunction",
    ),
    "without sqs:DeleteMessage": in_policy(
        "iam", "module.process_image.aws_iam_role_policy.runtime", without("sqs:DeleteMessage"), "sqs:DeleteMessage"
    ),
    "with statement s3:DeleteBucket arn:aws:s3:::darkroom-processed-123456789012": in_policy(
        "iam",
        PIPELINE,
        with_statement(Action="s3:DeleteBucket", Resource="arn:aws:s3:::darkroom-processed-123456789012"),
        "Planted allows s3:DeleteBucket",
    ),
    "no statement SenderEventRules": in_policy(
        "iam", "module.uploads.aws_sqs_queue.this", no_statement("SenderEventRules"), "events.amazonaws.com must be"
    ),
    "without states:DescribeStateMachine": in_deploy_role(
        "iam", READ, without("states:DescribeStateMachine"), "needs states:DescribeStateMachine"
    ),
    "without iam:UpdateRoleDescription": in_deploy_role(
        "iam", WRITE, without("iam:UpdateRoleDescription"), "needs iam:UpdateRoleDescription"
    ),
    'replaced "scheduler.amazonaws.com", ': in_deploy_role(
        "iam", GOVERN, replaced('"scheduler.amazonaws.com",', ""), "for scheduler.amazonaws.com"
    ),
    "with statement lambda:AddPermission arn:aws:lambda:eu-central-1:123456789012:function:*": in_deploy_role(
        "iam",
        WRITE,
        with_statement(Action="lambda:AddPermission", Resource="arn:aws:lambda:eu-central-1:123456789012:function:*"),
        "lambda:AddPermission on",
    ),
    "without dynamodb:Scan": in_deploy_role(
        "iam", "aws_iam_policy.boundary", without("dynamodb:Scan"), "needs dynamodb:Scan"
    ),
    "trust lambda.amazonaws.com": in_policy(
        "iam",
        "module.record_image.aws_iam_role.this",
        replaced("states.amazonaws.com", "lambda.amazonaws.com"),
        "cannot assume the role",
        "assume_role_policy",
    ),
    "trust stateMachine:darkroom-other": in_policy(
        "iam",
        "module.record_image.aws_iam_role.this",
        replaced("stateMachine:darkroom-record", "stateMachine:darkroom-other"),
        "cannot assume the role",
        "assume_role_policy",
    ),
    "trust execute-api.amazonaws.com": in_policy(
        "iam",
        "module.api[0].aws_iam_role.this",
        replaced("apigateway.amazonaws.com", "execute-api.amazonaws.com"),
        "cannot assume the role",
        "assume_role_policy",
    ),
    "trust events.amazonaws.com": in_policy(
        "iam",
        "aws_iam_role.reconcile_schedule[0]",
        replaced("scheduler.amazonaws.com", "events.amazonaws.com"),
        "cannot assume the role",
        "assume_role_policy",
    ),
}
