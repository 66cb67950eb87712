"""Dead-letter queues: what rests in them, and where each message belongs.

A message is never taken off its queue before its event is accepted elsewhere: whoever is interrupted in between sends
it twice, which the pipeline is made for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom.errors import code_of
from darkroom.resources import Dlq
from scripts.demo.journey import image_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from darkroom.resources import Resources

HOLD_SECONDS = 300  # for which a message is kept from other readers; it comes back by itself if this one is killed
WAIT_SECONDS = 1  # a long poll asks all of SQS's servers: what it does not find is not there

_PUBLISHED = ("status", "image_id", "dedup_id")  # beside the message, as attributes that subscribers filter by
_SUBSCRIPTION = re.compile(r"SubscriptionArn=(?P<arn>arn:[\w:-]+)")


@dataclass(frozen=True)
class Letter:
    """A message that rests in a dead-letter queue.

    Attributes:
        queue: Which one.
        url: Its URL.
        id: The message's id.
        receipt: What it is released or deleted by.
        body: The event, as it came.
        sent: When it came; where SQS itself moved it here, when it was first sent.
        attributes: The message's attributes: whoever put it here tells why in them.
    """

    queue: Dlq
    url: str
    id: str
    receipt: str
    body: str
    sent: datetime
    attributes: Mapping[str, str]

    @property
    def image(self) -> str | None:
        """The image that it is about; none if that cannot be told."""
        return image_of(self.body) or image_of(json.dumps({"detail": _notification(self.body)}))

    @property
    def kind(self) -> str | None:
        """What it says happened: the type of the event."""
        try:
            event = json.loads(self.body)
            return str(event.get("detail-type") or event.get("Subject") or event.get("Type") or "") or None
        except (AttributeError, ValueError):
            return None

    @property
    def error(self) -> str | None:
        """Why it rests here, as far as the sender has told."""
        said = (self.attributes.get(name) for name in ("ERROR_MESSAGE", "ErrorMessage", "ERROR_CODE", "error"))
        return next((text for text in said if text), None)

    def matches(self, image: str | None, text: str | None, before: datetime) -> bool:
        """Whether a filter lets it through: its image begins so, its body holds this text, it came before then."""
        return (
            self.sent < before
            and (image is None or (self.image or "").startswith(image))
            and (text is None or text in self.body)
        )


@dataclass(frozen=True)
class Destination:
    """Where a message belongs: an ARN, and in a word why there."""

    arn: str
    reason: str

    @property
    def service(self) -> str:
        """The service that takes it."""
        return self.arn.split(":")[2]


class UndeliverableError(Exception):
    """A message cannot be sent on: it is for a target of somebody else's, or malformed. It stays where it is."""


def read(resources: Resources, queue: Dlq) -> Iterator[list[Letter]]:
    """The messages of a queue, some at a time, each once; kept from other readers until released or deleted."""
    url = resources.dlq_url(queue)
    seen: set[str] = set()
    while messages := resources.sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HOLD_SECONDS,
        WaitTimeSeconds=WAIT_SECONDS,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages"):
        letters = [_letter(queue, url, message) for message in messages]
        yield [letter for letter in letters if letter.id not in seen]
        seen.update(letter.id for letter in letters)


def _letter(queue: Dlq, url: str, message: MessageTypeDef) -> Letter:
    return Letter(
        queue=queue,
        url=url,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        attributes={name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()},
    )


def release(resources: Resources, letter: Letter) -> None:
    """Let others see a message again, at once."""
    try:
        resources.sqs.change_message_visibility(QueueUrl=letter.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
    except ClientError as error:
        if code_of(error) not in _NO_LONGER_HELD:
            raise


def delete(resources: Resources, letter: Letter) -> None:
    """Take a message off its queue."""
    resources.sqs.delete_message(QueueUrl=letter.url, ReceiptHandle=letter.receipt)


_NO_LONGER_HELD = {
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "InvalidParameterValue",
    "ReceiptHandleIsInvalid",
}


def destination(resources: Resources, letter: Letter) -> Destination:
    """Where a message is redriven to: where its event was going when it failed.

    Raises:
        UndeliverableError: That was a target of somebody else's; or it is to be published, and is no notification.
    """
    if letter.queue is Dlq.UPLOADS:
        return Destination(resources.uploads_queue_arn, "the function's queue")
    if letter.queue is Dlq.RECORD_IMAGE:
        return Destination(resources.workflow_arn, "the workflow")
    if letter.queue is Dlq.NOTIFICATIONS:
        return _subscriber(resources, letter)
    usual = resources.uploads_queue_arn if letter.queue is Dlq.UPLOADS_RULES else resources.workflow_arn
    target = letter.attributes.get("TARGET_ARN", usual)
    if target != usual:
        raise UndeliverableError(f"it was going to {target}, which is not this pipeline's")
    return Destination(target, "the rule's target")


def _subscriber(resources: Resources, letter: Letter) -> Destination:
    """The queue that the notification did not reach; else the topic, as no other subscriber can be reached alone."""
    envelope = _loads(letter.body)
    found = _SUBSCRIPTION.search(str(envelope.get("UnsubscribeURL", "")))
    if found:
        pages = resources.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=resources.topic_arn)
        for page in pages:
            for subscription in page["Subscriptions"]:
                if subscription["SubscriptionArn"] == found["arn"] and subscription["Protocol"] == "sqs":
                    return Destination(subscription["Endpoint"], "the subscriber")
    detail = _notification(letter.body)
    if lacks := [name for name in ("summary", *_PUBLISHED) if not detail.get(name)]:
        raise UndeliverableError(f"it is no notification of this pipeline's: there is no {', '.join(lacks)} in it")
    return Destination(resources.topic_arn, "all subscribers")


def send(resources: Resources, letter: Letter, to: Destination) -> None:
    """Send a message's event, as it is, where it belongs; returns once it is accepted."""
    if to.service == "sqs":
        name, account = to.arn.rsplit(":", 1)[1], to.arn.split(":")[4]
        url = resources.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        resources.sqs.send_message(QueueUrl=url, MessageBody=letter.body)
    elif to.service == "states":
        resources.workflows.start_execution(stateMachineArn=to.arn, input=letter.body)
    else:
        envelope = _loads(letter.body)
        detail = _notification(letter.body)
        resources.sns.publish(
            TopicArn=to.arn,
            Subject=str(detail["summary"]),
            Message=str(envelope.get("Message", letter.body)),
            MessageAttributes={name: {"DataType": "String", "StringValue": str(detail[name])} for name in _PUBLISHED},
        )


def _notification(body: str) -> dict[str, Any]:
    """The detail that a notification holds, in SNS's envelope or raw."""
    envelope = _loads(body)
    return _loads(envelope["Message"]) if isinstance(envelope.get("Message"), str) else envelope


def _loads(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
