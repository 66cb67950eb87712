"""The resources of one pipeline: found by its name, as Terraform names everything after it.

The names are those of the modules in `terraform/`; an end-to-end test compares them with Terraform's outputs.
"""

from __future__ import annotations

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
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECT_SECONDS = 10  # for each of five attempts: where nothing answers, it is told within a minute
CONNECTIONS = 20  # as many threads as `upload` may be told to use, and a few for what goes on beside it


class Dlq(StrEnum):
    """A dead-letter queue of images' events, as Terraform's output `dlqs` names it."""

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


def bucket_name(name: str, purpose: str, account: str, region: str) -> str:
    """Return the name of one of a pipeline's buckets: originals, processed or page."""
    return f"{name}-{purpose}-{account}-{region}"


class Resources:
    """Where everything of a pipeline is, and clients to reach it; each client is made when it is first needed.

    Attributes:
        name: The pipeline's name.
        region: Its region.
        account: Its account.
        identity: Who asks, as an ARN.
    """

    def __init__(self, name: str, session: boto3.Session | None = None) -> None:
        """Look whether there is such a pipeline.

        Raises:
            OperatorError: There is none, or it cannot be asked for.
        """
        self.name = name
        # As for Terraform and the AWS CLI; boto3 by itself knows AWS_DEFAULT_REGION alone.
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
        except ValueError as error:  # an endpoint that is no URL
            raise OperatorError(f"{error}: look at AWS_ENDPOINT_URL") from error
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
                "give the name that was applied (--name or DARKROOM_NAME), and its region (AWS_REGION)"
            ) from error

    # Names

    @property
    def originals(self) -> str:
        """The bucket that is uploaded to."""
        return bucket_name(self.name, "originals", self.account, self.region)

    @property
    def processed(self) -> str:
        """The bucket of the derivatives."""
        return bucket_name(self.name, "processed", self.account, self.region)

    @property
    def dashboard(self) -> str:
        """Name of the dashboard, if there is one."""
        return f"{self.name}-{self.region}"

    @property
    def table(self) -> str:
        """The table of the records."""
        return f"{self.name}-images"

    @property
    def function(self) -> str:
        """The function."""
        return f"{self.name}-process-image"

    @property
    def log_group(self) -> str:
        """The function's log."""
        return f"/aws/lambda/{self.function}"

    @property
    def workflow_log_group(self) -> str:
        """The workflow's log."""
        return f"/aws/vendedlogs/states/{self.name}-record-image"

    @property
    def api(self) -> str:
        """Name of the API, if there is one."""
        return f"{self.name}-api"

    @property
    def api_log_group(self) -> str:
        """The log of requests to the API, if there is one."""
        return f"/aws/apigateway/{self.api}"

    @property
    def topic_arn(self) -> str:
        """The topic of the notifications."""
        return self.arn("sns", f"{self.name}-notifications")

    @property
    def workflow_arn(self) -> str:
        """The workflow that records and notifies."""
        return self.arn("states", f"stateMachine:{self.name}-record-image")

    @property
    def uploads_queue_arn(self) -> str:
        """The queue in which uploads wait."""
        return self.arn("sqs", f"{self.name}-uploads")

    @property
    def domain(self) -> str:
        """Domain of AWS's endpoints in the pipeline's partition, such as amazonaws.com."""
        resolver = botocore.session.get_session().get_component("endpoint_resolver")
        domain: str = resolver.get_partition_dns_suffix(self.partition)
        return domain

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in the pipeline's account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def queue_url(self, name: str) -> str:
        """The URL of a queue."""
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def dlq_name(self, dlq: Dlq) -> str:
        """The name of a dead-letter queue."""
        return _DLQ_NAMES[dlq].format(self.name)

    def dlq_url(self, dlq: Dlq) -> str:
        """The URL of a dead-letter queue."""
        return self.queue_url(self.dlq_name(dlq))

    # Clients

    @cached_property
    def apis(self) -> Any:  # noqa: ANN401 - the project has no stubs of it
        """REST APIs."""
        return self._session.client("apigateway", config=self._config)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Alarms."""
        return self._session.client("cloudwatch", config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Records."""
        return self._session.client("dynamodb", config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        """Rules, archives, replays."""
        return self._session.client("events", config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """The function."""
        return self._session.client("lambda", config=self._config)

    @cached_property
    def iam(self) -> Any:  # noqa: ANN401 - the project has no stubs of it
        """Roles."""
        return self._session.client("iam", config=self._config)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """The function's log."""
        return self._session.client("logs", config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        """Originals and derivatives."""
        return self._session.client("s3", config=self._config)

    @cached_property
    def sns(self) -> SNSClient:
        """Notifications."""
        return self._session.client("sns", config=self._config)

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        return self._session.client("sqs", config=self._config)

    @cached_property
    def workflows(self) -> SFNClient:
        """The workflow."""
        return self._session.client("stepfunctions", config=self._config)
