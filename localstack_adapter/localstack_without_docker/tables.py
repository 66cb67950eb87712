"""DynamoDB and its streams by moto, which LocalStack brings along: its own provider starts a Java program.

Chosen by PROVIDER_OVERRIDE_DYNAMODB=moto and PROVIDER_OVERRIDE_DYNAMODBSTREAMS=moto.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from localstack.aws.api.dynamodb import DynamodbApi  # type: ignore[import-not-found]
from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi  # type: ignore[import-not-found]
from localstack.services.moto import MotoFallbackDispatcher  # type: ignore[import-not-found]
from localstack.services.plugins import Service, aws_provider  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any, Any], Any]

# moto changes an item in place, attribute by attribute, while LocalStack's threads read it. DynamoDB's writes are
# atomic, and conditional ones rely on it.
_turn = Lock()


def _by_moto(provider: object) -> dict[str, Handler]:
    """Every operation by moto, one at a time."""

    def in_turn(handler: Handler) -> Handler:
        def handle(context: object, request: object) -> object:
            with _turn:
                return handler(context, request)

        return handle

    return {operation: in_turn(handler) for operation, handler in MotoFallbackDispatcher(provider).items()}


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def dynamodb() -> Service:
    """DynamoDB's service."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=_by_moto)


@aws_provider(api="dynamodbstreams", name="moto")  # type: ignore[untyped-decorator]
def dynamodbstreams() -> Service:
    """The service of tables' streams."""
    return Service.for_provider(DynamodbstreamsApi(), dispatch_table_factory=_by_moto)
