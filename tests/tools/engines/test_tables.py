"""Guarantees of DynamoDB that the pipeline needs, with moto as LocalStack's DynamoDB."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from scripts.engines.localstack import Way

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTRIBUTES = [f"a{number}" for number in range(20)]


@pytest.fixture(scope="module")
def dynamodb(way: Way, clients: Any) -> Any:
    if way is Way.DOCKER:
        pytest.skip("DynamoDB is the image's own")
    return clients("dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> Iterator[str]:
    """Yield an empty table with a stream."""
    name = f"tested-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    yield name
    dynamodb.delete_table(TableName=name)


def test_one_of_many_conditional_writes_succeeds(dynamodb: Any, table: str) -> None:
    def claim(who: int) -> int:
        try:
            dynamodb.put_item(
                TableName=table,
                Item={"id": {"S": "x"}, "by": {"N": str(who)}},
                ConditionExpression="attribute_not_exists(id)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return 0
        return 1

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(30))) == 1


def test_an_item_is_never_seen_half_written(dynamodb: Any, table: str) -> None:
    def write(number: int) -> None:
        dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": str(number)}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in ATTRIBUTES),
            ExpressionAttributeValues={f":{name}": {"S": name} for name in ATTRIBUTES},
        )

    def read(number: int) -> int:
        found = 0
        while not found:
            found = len(dynamodb.get_item(TableName=table, Key={"id": {"S": str(number)}}).get("Item", {}))
        return found

    with ThreadPoolExecutor(8) as pool:
        seen = [pool.submit(read, number) for number in range(20) for _ in range(2)]
        for number in range(20):
            write(number)
        assert {future.result() for future in seen} == {1 + len(ATTRIBUTES)}


def test_a_table_has_its_stream(dynamodb: Any, clients: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={"id": {"S": "streamed"}})
    streams = clients("dynamodbstreams")
    arn = streams.list_streams(TableName=table)["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "streamed"}}
