"""Answers every job of the queue `jobs` with a message in the queue `results`."""

import json
import logging
import os
from typing import Any

import boto3

sqs = boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Take an SQS batch and return the messages that failed: only those are delivered again."""
    failed = []
    for message in event["Records"]:
        try:
            answer(message["body"])
        except Exception:  # whatever it is, the other messages are none the worse for it
            logging.exception("message %s failed", message["messageId"])
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def answer(job: str) -> None:
    """Count the words of a job, `{"text": "…"}`, and send the number."""
    words = len(json.loads(job)["text"].split())
    sqs.send_message(QueueUrl=os.environ["RESULTS_URL"], MessageBody=json.dumps({"words": words}))
