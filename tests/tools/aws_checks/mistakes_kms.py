from __future__ import annotations

from tests.tools.aws_checks.planting import Mistake, no_statement, replaced, with_statement, without

RECORD = 'module.record_image.aws_iam_role_policy.permissions["record"]'
KEY = "module.key.aws_kms_key.this"
READ = 'aws_iam_policy.this["read"]'
GOVERN = 'aws_iam_policy.this["govern"]'

MISTAKES = {
    "without kms:Decrypt": Mistake(
        "kms",
        READ,
        ["policy"],
        without("kms:Decrypt"),
        "states:DescribeStateMachine on",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    'replaced "states.eu-central-1.amazonaws.com" "s3.amazonaws.com"': Mistake(
        "kms",
        READ,
        ["policy"],
        replaced('"states.eu-central-1.amazonaws.com"', '"s3.amazonaws.com"'),
        "kms:Decrypt",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "without kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo": Mistake(
        "kms",
        GOVERN,
        ["policy"],
        without("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        "kms:GenerateDataKeyWithoutPlaintext, kms:ReEncryptFrom, kms:ReEncryptTo",
        plan="deploy roles",
        among=("root", "root otherwise"),
    ),
    "without kms:GenerateDataKey": Mistake(
        "kms", RECORD, ["policy"], without("kms:GenerateDataKey"), "sns:Publish on module.notifications"
    ),
    "a function that signs uploads without kms:GenerateDataKey": Mistake(
        "kms",
        'module.presign_upload[0].aws_iam_role_policy.permissions["uploads"]',
        ["policy"],
        without("kms:GenerateDataKey"),
        "s3:PutObject on module.originals",
    ),
    "with statement kms:Encrypt *": Mistake(
        "kms", RECORD, ["policy"], with_statement(Action="kms:Encrypt", Resource="*"), "Planted allows kms:Encrypt"
    ),
    "no statement ServiceEventBus": Mistake(
        "kms", KEY, ["policy"], no_statement("ServiceEventBus"), "events.amazonaws.com"
    ),
    "replaced sns.amazonaws.com cloudwatch.amazonaws.com": Mistake(
        "kms",
        KEY,
        ["policy"],
        replaced("sns.amazonaws.com", "cloudwatch.amazonaws.com"),
        "cloudwatch.amazonaws.com, which",
    ),
    "no statement ServiceLogDelivery": Mistake(
        "kms", KEY, ["policy"], no_statement("ServiceLogDelivery"), "delivery.logs.amazonaws.com"
    ),
    "replaced log-group:/aws/lambda/darkroom-process-image log-group:/aws/lambda/other": Mistake(
        "kms",
        KEY,
        ["policy"],
        replaced("log-group:/aws/lambda/darkroom-process-image", "log-group:/aws/lambda/other"),
        "logs.eu-central-1.amazonaws.com",
    ),
}
