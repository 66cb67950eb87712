"""Names of the resources of one pipeline, and clients for them.

Terraform derives all names from the pipeline's name. An end-to-end test compares them with Terraform's outputs.
"""

from __future__ import annotations

import json
import os
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from darkroom.errors import OperatorError, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import SubscriptionTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECT_SECONDS = 10  # for each of five attempts: an endpoint that does not answer is reported within a minute
CONNECTIONS = 20  # the most threads of `upload`, and a few for other requests


class Dlq(StrEnum):
    """A DLQ of the pipeline, by its key in Terraform's output `dlqs`."""

    UPLOADS = "uploads"
    RECORD_IMAGE = "record_image"
    NOTIFICATIONS = "notifications"
    UPLOADS_RULES = "uploads_rules"
    BUS = "bus"


_DLQ_NAMES = {
    Dlq.UPLOADS: "{}-uploads-dlq",
    Dlq.RECORD_IMAGE: "{}-record-image-dlq",
    Dlq.NOTIFICATIONS: "{}-notifications-dlq",
    Dlq.UPLOADS_RULES: "{}-uploads-events-dlq",
    Dlq.BUS: "{}-bus-dlq",
}


_TOPIC = "{}-notifications"


def read_outputs(text: str) -> tuple[str, str]:
    """Return the name and the region of the pipeline whose outputs `terraform output -json` has printed.

    Raises:
        OperatorError: The text is anything else.
    """
    try:
        _, _, _, region, _, topic = json.loads(text)["notifications_topic_arn"]["value"].split(":")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OperatorError(
            "--outputs has no outputs of a pipeline: run `terraform output -json` where it was applied"
        ) from error
    return topic.removesuffix(_TOPIC.format("")), region


def bucket_name(name: str, purpose: str, account: str, region: str) -> str:
    """Return the name of one of a pipeline's buckets: originals, processed or page."""
    return f"{name}-{purpose}-{account}-{region}"


class Resources:
    """Names of a pipeline's resources, and clients for them. Each client is created when it is first used.

    Attributes:
        name: Name of the pipeline.
        region: AWS region.
        account: AWS account.
        identity: ARN of the caller.
    """

    def __init__(self, name: str, session: boto3.Session | None = None) -> None:
        """Find the pipeline.

        Raises:
            OperatorError: The pipeline does not exist, or AWS_ENDPOINT_URL is not valid.
        """
        self.name = name
        # Terraform and the AWS CLI read AWS_REGION; boto3 reads only AWS_DEFAULT_REGION.
        self._session = session or boto3.Session(region_name=os.environ.get("AWS_REGION"))
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            max_pool_connections=CONNECTIONS,
            connect_timeout=CONNECT_SECONDS,
        )
        try:
            sts = self._session.client("sts", config=self._config)
        except BotoCoreError:
            raise
        except ValueError as error:  # an endpoint that is not a URL
            raise OperatorError(f"{error}: check AWS_ENDPOINT_URL") from error
        identity = sts.get_caller_identity()
        self.account = identity["Account"]
        self.identity = identity["Arn"]
        self.partition = identity["Arn"].split(":")[1]
        self.region = self.sqs.meta.region_name
        try:
            self.uploads_queue_url = self.queue_url(f"{name}-uploads")
        except ClientError as error:
            if code_of(error) not in {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}:
                raise
            raise OperatorError(
                f"there is no pipeline {name!r} in {self.region} of account {self.account}: "
                "set the name that was applied (--name or DARKROOM_NAME) and its region (AWS_REGION)"
            ) from error

    # Names

    @property
    def originals(self) -> str:
        """Bucket of the originals."""
        return bucket_name(self.name, "originals", self.account, self.region)

    @property
    def processed(self) -> str:
        """Bucket of the derivatives."""
        return bucket_name(self.name, "processed", self.account, self.region)

    @property
    def dashboard(self) -> str:
        """Name of the dashboard, which may not exist."""
        return f"{self.name}-{self.region}"

    @property
    def table(self) -> str:
        """Table of the records."""
        return f"{self.name}-images"

    @property
    def function(self) -> str:
        """Name of the function."""
        return f"{self.name}-process-image"

    @property
    def log_group(self) -> str:
        """Log group of the function."""
        return f"/aws/lambda/{self.function}"

    @property
    def workflow_log_group(self) -> str:
        """Log group of the workflow."""
        return f"/aws/vendedlogs/states/{self.name}-record-image"

    @property
    def api(self) -> str:
        """Name of the API, which may not exist."""
        return f"{self.name}-api"

    @property
    def api_log_group(self) -> str:
        """Log group of the API's requests, which may not exist."""
        return f"/aws/apigateway/{self.api}"

    @property
    def topic_arn(self) -> str:
        """Topic of the notifications."""
        return self.arn("sns", _TOPIC.format(self.name))

    @property
    def workflow_arn(self) -> str:
        """Workflow that records outcomes and notifies."""
        return self.arn("states", f"stateMachine:{self.name}-record-image")

    @property
    def uploads_queue_arn(self) -> str:
        """Queue of S3's events."""
        return self.arn("sqs", f"{self.name}-uploads")

    @property
    def domain(self) -> str:
        """Domain of AWS's endpoints in the pipeline's partition, such as amazonaws.com."""
        resolver = botocore.session.get_session().get_component("endpoint_resolver")
        domain: str = resolver.get_partition_dns_suffix(self.partition)
        return domain

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the pipeline's account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def queue_url(self, name: str) -> str:
        """Return the URL of a queue."""
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def dlq_name(self, dlq: Dlq) -> str:
        """Return the name of a DLQ."""
        return _DLQ_NAMES[dlq].format(self.name)

    def dlq_url(self, dlq: Dlq) -> str:
        """Return the URL of a DLQ."""
        return self.queue_url(self.dlq_name(dlq))

    def subscriptions(self, topic_arn: str) -> Iterator[SubscriptionTypeDef]:
        """Yield the subscriptions of a topic."""
        for page in self.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
            yield from page["Subscriptions"]

    # Clients

    @cached_property
    def apis(self) -> Any:  # noqa: ANN401 - the project has no stubs for it
        """Client for REST APIs."""
        return self._session.client("apigateway", config=self._config)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Client for alarms and metrics."""
        return self._session.client("cloudwatch", config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Client for records."""
        return self._session.client("dynamodb", config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        """Client for rules, archives and replays."""
        return self._session.client("events", config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """Client for the function."""
        return self._session.client("lambda", config=self._config)

    @cached_property
    def iam(self) -> Any:  # noqa: ANN401 - the project has no stubs for it
        """Client for roles."""
        return self._session.client("iam", config=self._config)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Client for log groups."""
        return self._session.client("logs", config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        """Client for originals and derivatives."""
        return self._session.client("s3", config=self._config)

    @cached_property
    def sns(self) -> SNSClient:
        """Client for notifications."""
        return self._session.client("sns", config=self._config)

    @cached_property
    def sqs(self) -> SQSClient:
        """Client for queues."""
        return self._session.client("sqs", config=self._config)

    @cached_property
    def workflows(self) -> SFNClient:
        """Client for the workflow."""
        return self._session.client("stepfunctions", config=self._config)
