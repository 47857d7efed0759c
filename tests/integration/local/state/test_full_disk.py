"""A disk without room: the request fails with one clear line, and nothing of it is there, now or later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sightline_local.cloud import patches
from sightline_local.cloud.gateway import Gateway, serve
from sightline_local.cloud.moto_server import forget_everything, make_moto_app
from sightline_local.iam import Authorizer, Sessions
from sightline_local.state import Facts
from sightline_local.state.moto_state import MotoState

ACCOUNT, REGION = "123456789012", "us-east-1"


class Cloud:
    """moto with a data directory, and clients of it."""

    def __init__(self, folder: Path) -> None:
        self.facts = Facts(folder / "facts.sqlite")
        self.state = MotoState(self.facts, make_moto_app(), ACCOUNT, REGION)
        self.state.install()
        self.server = serve(Gateway(self.state.app(), Sessions(ACCOUNT, REGION), Authorizer(ACCOUNT, REGION)))

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.server.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def fill_the_disk(self) -> None:
        pages = self.facts._db.execute("PRAGMA page_count").fetchone()[0]
        self.facts._db.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.server.close()
    cloud.facts.close()
    patches.undo()
    forget_everything()


def refusal(call: Any, **parameters: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_an_item_is_as_it_was_before(cloud: Cloud) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="t", Item={"k": {"S": "1"}})
    cloud.fill_the_disk()

    for key in ("1", "2"):
        item = {"k": {"S": key}, "v": {"S": "x" * 100_000}}
        status, told = refusal(dynamodb.put_item, TableName="t", Item=item)
        assert status == 500
        assert "no space left" in told
        assert "\n" not in told

    assert dynamodb.scan(TableName="t")["Items"] == [{"k": {"S": "1"}}]


def test_an_object_is_as_it_was_before(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="k", Body=b"old", Metadata={"who": "me"})
    cloud.fill_the_disk()

    for key in ("k", "new"):
        status, told = refusal(s3.put_object, Bucket="files", Key=key, Body=bytes(200_000))
        assert (status, "no space left" in told) == (500, True)

    assert [each["Key"] for each in s3.list_objects_v2(Bucket="files")["Contents"]] == ["k"]
    found = s3.get_object(Bucket="files", Key="k")
    assert (found["Body"].read(), found["Metadata"]) == (b"old", {"who": "me"})


def test_a_message_is_not_sent(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    cloud.fill_the_disk()

    status, told = refusal(sqs.send_message, QueueUrl=url, MessageBody="x" * 100_000)

    assert (status, told) == (500, f"{cloud.facts.folder}: no space left on the disk")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
