from __future__ import annotations

from tests.tools.aws_checks.planting import Mistake, replaced, set_to

MISTAKES = {
    "a host of another region": Mistake(
        "endpoints",
        'aws_s3_object.try_page["config.json"]',
        ["content"],
        replaced(".s3.eu-central-1.", ".s3.eu-west-1."),
        "is not an endpoint of an AWS service in eu-central-1",
    ),
    "S3's global host": Mistake(
        "endpoints",
        'aws_s3_object.try_page["config.json"]',
        ["content"],
        replaced(".s3.eu-central-1.", ".s3."),
        "is not an endpoint of an AWS service in eu-central-1",
    ),
    "a host of another partition": Mistake(
        "endpoints",
        'aws_s3_object.try_page["config.json"]',
        ["content"],
        replaced(".amazonaws.com.cn", ".amazonaws.com"),
        "is not an endpoint of an AWS service in cn-north-1",
        plan="root in another region",
    ),
    "an ARN of another partition": Mistake(
        "endpoints",
        'module.process_image.aws_lambda_event_source_mapping.this["uploads"]',
        ["event_source_arn"],
        replaced("arn:aws-cn:", "arn:aws:"),
        "is an ARN of another partition than aws-cn",
        plan="root in another region",
    ),
    "an ARN of another region": Mistake(
        "endpoints",
        "module.record_image.aws_sfn_state_machine.this",
        ["definition"],
        replaced(":eu-central-1:", ":eu-west-1:"),
        "is an ARN of another region than eu-central-1",
    ),
    "a region in an ARN of a global service": Mistake(
        "endpoints",
        "module.process_image.aws_lambda_function.this",
        ["role"],
        set_to("arn:aws:iam:eu-central-1:123456789012:role/darkroom-process-image"),
        "ARNs of iam have none",
    ),
}
