"""Messages in DLQs, and where each of them belongs.

A message is deleted only after its event was accepted elsewhere. An interruption in between sends the event twice,
which the pipeline tolerates.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from darkroom.errors import code_of
from darkroom.logs import entry
from darkroom.resources import Dlq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from darkroom.resources import Resources

HOLD_SECONDS = 300  # for which a message is hidden from other readers; afterwards it is visible again
WAIT_SECONDS = 1  # a long poll asks all of SQS's servers, and so misses no message

_PUBLISHED = ("status", "image_id", "dedup_id")  # message attributes that subscribers filter by
_SUBSCRIPTION = re.compile(r"SubscriptionArn=(?P<arn>arn:[\w:-]+)")


@dataclass(frozen=True)
class Letter:
    """A message in a DLQ.

    Attributes:
        queue: The DLQ.
        url: URL of the DLQ.
        id: Message id.
        receipt: Receipt handle, for release and deletion.
        body: The event, unchanged.
        sent: Time at which it was sent to the DLQ, or to the queue that SQS moved it from.
        attributes: Message attributes. The sender puts the error into them.
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
        """Id of the image; None if the message has none."""
        return image_of(self.body) or image_of(json.dumps({"detail": _notification(self.body)}))

    @property
    def kind(self) -> str | None:
        """Type of the event."""
        event = entry(self.body)
        return str(event.get("detail-type") or event.get("Subject") or event.get("Type") or "") or None

    @property
    def error(self) -> str | None:
        """Error that the sender reported, if any."""
        said = (self.attributes.get(name) for name in ("ERROR_MESSAGE", "ErrorMessage", "ERROR_CODE", "error"))
        return next((text for text in said if text), None)

    def matches(self, image: str | None, text: str | None, before: datetime) -> bool:
        """Return True if the image id has this prefix, the body contains the text, and it was sent before that time."""
        return (
            self.sent < before
            and (image is None or (self.image or "").startswith(image))
            and (text is None or text in self.body)
        )


@dataclass(frozen=True)
class Destination:
    """ARN that a message is sent to, and why there."""

    arn: str
    reason: str

    @property
    def service(self) -> str:
        """AWS service of the ARN."""
        return self.arn.split(":")[2]


class UndeliverableError(Exception):
    """A message that cannot be redriven: its target is not the pipeline's, or it is malformed. It stays in the DLQ."""


def read(resources: Resources, queue: Dlq) -> Iterator[list[Letter]]:
    """Yield the messages of a DLQ in batches, each once. They are hidden from other readers until released."""
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
    """Make a message visible to others again, at once."""
    try:
        resources.sqs.change_message_visibility(QueueUrl=letter.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
    except ClientError as error:
        if code_of(error) not in _NO_LONGER_HELD:
            raise


def delete(resources: Resources, letter: Letter) -> None:
    """Delete a message."""
    resources.sqs.delete_message(QueueUrl=letter.url, ReceiptHandle=letter.receipt)


_NO_LONGER_HELD = {
    "AWS.SimpleQueueService.MessageNotInflight",
    "MessageNotInflight",
    "InvalidParameterValue",
    "ReceiptHandleIsInvalid",
}


def destination(resources: Resources, letter: Letter) -> Destination:
    """Return where to redrive a message: where its event was going when it failed.

    Raises:
        UndeliverableError: The target is not the pipeline's, or the message is not a notification of it.
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
        raise UndeliverableError(f"its target is {target}, which is not this pipeline's")
    return Destination(target, "the rule's target")


def _subscriber(resources: Resources, letter: Letter) -> Destination:
    """Return the subscribed queue that did not get the notification; else the topic, which reaches all subscribers."""
    envelope = entry(letter.body)
    found = _SUBSCRIPTION.search(str(envelope.get("UnsubscribeURL", "")))
    if found:
        for subscription in resources.subscriptions(resources.topic_arn):
            if subscription["SubscriptionArn"] == found["arn"] and subscription["Protocol"] == "sqs":
                return Destination(subscription["Endpoint"], "the subscriber")
    detail = _notification(letter.body)
    if missing := [name for name in ("summary", *_PUBLISHED) if not detail.get(name)]:
        raise UndeliverableError(f"it is not a notification of this pipeline: {', '.join(missing)} missing")
    return Destination(resources.topic_arn, "all subscribers")


def send(resources: Resources, letter: Letter, to: Destination) -> None:
    """Send a message's event, unchanged, and return once it is accepted."""
    if to.service == "sqs":
        name, account = to.arn.rsplit(":", 1)[1], to.arn.split(":")[4]
        url = resources.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        resources.sqs.send_message(QueueUrl=url, MessageBody=letter.body)
    elif to.service == "states":
        resources.workflows.start_execution(stateMachineArn=to.arn, input=letter.body)
    else:
        envelope = entry(letter.body)
        detail = _notification(letter.body)
        resources.sns.publish(
            TopicArn=to.arn,
            Subject=str(detail["summary"]),
            Message=str(envelope.get("Message", letter.body)),
            MessageAttributes={name: {"DataType": "String", "StringValue": str(detail[name])} for name in _PUBLISHED},
        )


def image_of(body: str) -> str | None:
    """Return the id of the image that an event is about; None if it has none."""
    try:
        detail = json.loads(body)["detail"]
        return str(detail["image_id"] if "image_id" in detail else detail["object"]["key"])
    except (KeyError, TypeError, ValueError):
        return None


def _notification(body: str) -> dict[str, Any]:
    """Return the detail of a notification, in SNS's envelope or raw."""
    envelope = entry(body)
    return entry(envelope["Message"]) if isinstance(envelope.get("Message"), str) else envelope
