"""Read jobs from the queue `jobs` and send a result for each to the queue `results`."""

import json
import logging
import os
from typing import Any

import boto3

sqs = boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of SQS messages and return those that failed: only they are delivered again."""
    failed = []
    for message in event["Records"]:
        try:
            answer(message["body"])
        except Exception:  # any error fails only its own message
            logging.exception("message %s failed", message["messageId"])
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def answer(job: str) -> None:
    """Count the words of a job, `{"text": "…"}`, and send the result."""
    words = len(json.loads(job)["text"].split())
    sqs.send_message(QueueUrl=os.environ["RESULTS_URL"], MessageBody=json.dumps({"words": words}))
