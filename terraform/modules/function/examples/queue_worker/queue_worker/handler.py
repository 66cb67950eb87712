"""Answers every message of the queue `jobs` with one in the queue `results`."""

import os
from typing import Any

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Take an SQS batch and return the messages that failed: only those are delivered again."""
    failed = []
    for message in event["Records"]:
        try:
            sqs.send_message(QueueUrl=os.environ["RESULTS_URL"], MessageBody=message["body"].upper())
        except ClientError:
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
