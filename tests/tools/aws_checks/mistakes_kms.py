from __future__ import annotations

from tests.tools.aws_checks.planting import in_deploy_role, in_policy, no_statement, replaced, with_statement, without

RECORD = 'module.record_image.aws_iam_role_policy.permissions["record"]'
KEY = "module.key.aws_kms_key.this"
READ = 'aws_iam_policy.this["read"]'
GOVERN = 'aws_iam_policy.this["govern"]'

MISTAKES = {
    "without kms:Decrypt": in_deploy_role("kms", READ, without("kms:Decrypt"), "states:DescribeStateMachine on"),
    'replaced "states.eu-central-1.amazonaws.com" "s3.amazonaws.com"': in_deploy_role(
        "kms", READ, replaced('"states.eu-central-1.amazonaws.com"', '"s3.amazonaws.com"'), "kms:Decrypt"
    ),
    "without kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo": in_deploy_role(
        "kms",
        GOVERN,
        without("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        "kms:GenerateDataKeyWithoutPlaintext, kms:ReEncryptFrom, kms:ReEncryptTo",
    ),
    "without kms:GenerateDataKey": in_policy(
        "kms", RECORD, without("kms:GenerateDataKey"), "sns:Publish on module.notifications"
    ),
    "a function that signs uploads without kms:GenerateDataKey": in_policy(
        "kms",
        'module.presign_upload[0].aws_iam_role_policy.permissions["uploads"]',
        without("kms:GenerateDataKey"),
        "s3:PutObject on module.originals",
    ),
    "with statement kms:Encrypt *": in_policy(
        "kms", RECORD, with_statement(Action="kms:Encrypt", Resource="*"), "Planted allows kms:Encrypt"
    ),
    "no statement ServiceEventBus": in_policy("kms", KEY, no_statement("ServiceEventBus"), "events.amazonaws.com"),
    "replaced sns.amazonaws.com cloudwatch.amazonaws.com": in_policy(
        "kms", KEY, replaced("sns.amazonaws.com", "cloudwatch.amazonaws.com"), "cloudwatch.amazonaws.com, which"
    ),
    "no statement ServiceLogDelivery": in_policy(
        "kms", KEY, no_statement("ServiceLogDelivery"), "delivery.logs.amazonaws.com"
    ),
    "replaced log-group:/aws/lambda/darkroom-process-image log-group:/aws/lambda/other": in_policy(
        "kms",
        KEY,
        replaced("log-group:/aws/lambda/darkroom-process-image", "log-group:/aws/lambda/other"),
        "logs.eu-central-1.amazonaws.com",
    ),
}
