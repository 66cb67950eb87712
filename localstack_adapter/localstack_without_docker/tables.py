"""DynamoDB and its streams by moto, a dependency of LocalStack, whose own provider starts a Java program.

Enable it with PROVIDER_OVERRIDE_DYNAMODB=moto and PROVIDER_OVERRIDE_DYNAMODBSTREAMS=moto.
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
    """Return a handler for every operation of moto; they run one at a time."""

    def in_turn(handler: Handler) -> Handler:
        def handle(context: object, request: object) -> object:
            with _turn:
                return handler(context, request)

        return handle

    return {operation: in_turn(handler) for operation, handler in MotoFallbackDispatcher(provider).items()}


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def dynamodb() -> Service:
    """Return the service of DynamoDB."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=_by_moto)


@aws_provider(api="dynamodbstreams", name="moto")  # type: ignore[untyped-decorator]
def dynamodbstreams() -> Service:
    """Return the service of DynamoDB's streams."""
    return Service.for_provider(DynamodbstreamsApi(), dispatch_table_factory=_by_moto)
