"""DynamoDB and its streams by moto, which LocalStack brings along: its own provider starts a Java program.

Chosen by PROVIDER_OVERRIDE_DYNAMODB=moto and PROVIDER_OVERRIDE_DYNAMODBSTREAMS=moto.
"""

from localstack.aws.api.dynamodb import DynamodbApi  # type: ignore[import-not-found]
from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi  # type: ignore[import-not-found]
from localstack.services.moto import MotoFallbackDispatcher  # type: ignore[import-not-found]
from localstack.services.plugins import Service, aws_provider  # type: ignore[import-not-found]


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def dynamodb() -> Service:
    """DynamoDB, every operation of it by moto."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=MotoFallbackDispatcher)


@aws_provider(api="dynamodbstreams", name="moto")  # type: ignore[untyped-decorator]
def dynamodbstreams() -> Service:
    """The streams of these tables."""
    return Service.for_provider(DynamodbstreamsApi(), dispatch_table_factory=MotoFallbackDispatcher)
