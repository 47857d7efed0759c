"""Requests of real boto3 clients, in every protocol: what passes, what is refused, in what words."""

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sightline_local.cloud.gateway import serve
from sightline_local.cloud.service import ServiceError
from sightline_local.iam import Caller, Credentials

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def refusal(call: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error, meta = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    return error["Code"], error["Message"], meta["HTTPStatusCode"]


def make_things(cloud: Any) -> dict[str, str]:
    cloud.client("dynamodb").create_table(
        TableName="devices",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cloud.client("kinesis").create_stream(StreamName="faces", ShardCount=1)
    cloud.client("s3").create_bucket(Bucket="parked")
    topic = cloud.client("sns").create_topic(Name="alerts")["TopicArn"]
    return {"topic": topic, "queue": cloud.client("sqs").create_queue(QueueName="dead")["QueueUrl"]}


def calls(
    cloud: Any, made: dict[str, str], credentials: Credentials | None
) -> list[tuple[Any, dict[str, Any]]]:
    def client(service: str) -> Any:
        return cloud.client(service, credentials)

    return [
        (client("dynamodb").put_item, {"TableName": "devices", "Item": {"id": {"S": "a"}}}),
        (client("kinesis").put_record, {"StreamName": "faces", "Data": b"x", "PartitionKey": "k"}),
        (client("s3").put_object, {"Bucket": "parked", "Key": "a b/ü", "Body": b"x"}),
        (client("sns").publish, {"TopicArn": made["topic"], "Message": "m"}),
        (client("sqs").send_message, {"QueueUrl": made["queue"], "MessageBody": "m"}),
        (client("stepfunctions").list_state_machines, {}),
        (client("lambda").list_functions, {}),
        (client("cognito-idp").list_user_pools, {"MaxResults": 1}),
        (client("cloudformation").list_stacks, {}),
        (client("logs").describe_log_groups, {}),
    ]


def test_the_administrator_passes_in_every_protocol(cloud: Any) -> None:
    made = make_things(cloud)

    for call, params in calls(cloud, made, None):
        assert call(**params)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_role_that_may_passes_in_every_protocol(cloud: Any) -> None:
    made = make_things(cloud)
    credentials = cloud.session(ALLOW_ALL)

    for call, params in calls(cloud, made, credentials):
        assert call(**params)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_role_that_may_not_is_refused_in_every_protocol(cloud: Any) -> None:
    made = make_things(cloud)
    credentials = cloud.session()

    answers = [refusal(call, **params) for call, params in calls(cloud, made, credentials)]

    assert [code for code, _, _ in answers] == [
        "AccessDeniedException",
        "AccessDeniedException",
        "AccessDenied",
        "AuthorizationError",
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedException",
        "AccessDeniedException",
        "AccessDenied",
        "AccessDeniedException",
    ]
    assert all("assumed-role/role/session is not authorized to perform" in text for _, text, _ in answers)


def test_a_refusal_names_role_action_and_resource_as_aws_words_it(cloud: Any) -> None:
    dynamodb = cloud.client("dynamodb", cloud.session())

    code, message, status = refusal(dynamodb.get_item, TableName="devices", Key={"id": {"S": "a"}})

    assert (code, status) == ("AccessDeniedException", 400)
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/role/session is not authorized to perform: "
        "dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/devices because no "
        "identity-based policy allows the dynamodb:GetItem action"
    )


def test_an_explicit_deny_is_called_so(cloud: Any) -> None:
    deny = {"Effect": "Deny", "Action": "sns:*", "Resource": "*"}
    sns = cloud.client("sns", cloud.session(ALLOW_ALL, deny))

    _, message, _ = refusal(sns.publish, TopicArn=cloud.arn("sns", "alerts"), Message="m")

    assert message.endswith("with an explicit deny in an identity-based policy")


def test_an_action_without_a_rule_is_denied_to_a_role_that_may_do_everything(cloud: Any) -> None:
    dynamodb = cloud.client("dynamodb", cloud.session(ALLOW_ALL))

    code, message, _ = refusal(dynamodb.list_backups)

    assert code == "AccessDeniedException"
    assert "no rule for the resource of this action" in message


def test_a_batch_is_refused_when_one_of_its_tables_is(cloud: Any) -> None:
    make_things(cloud)
    only = {
        "Effect": "Allow",
        "Action": "dynamodb:BatchGetItem",
        "Resource": cloud.arn("dynamodb", "table/devices"),
    }
    dynamodb = cloud.client("dynamodb", cloud.session(only))
    key = {"Keys": [{"id": {"S": "a"}}]}

    assert dynamodb.batch_get_item(RequestItems={"devices": key})["Responses"] == {"devices": []}
    _, message, _ = refusal(dynamodb.batch_get_item, RequestItems={"devices": key, "people": key})
    assert "table/people" in message


def test_a_shard_iterator_is_as_good_as_the_name_of_its_stream(cloud: Any) -> None:
    make_things(cloud)
    iterator = cloud.client("kinesis").get_shard_iterator(
        StreamName="faces", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    other = {"Effect": "Allow", "Action": "kinesis:*", "Resource": cloud.arn("kinesis", "stream/other")}

    _, message, _ = refusal(cloud.client("kinesis", cloud.session(other)).get_records, ShardIterator=iterator)

    assert "stream/faces" in message


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("dynamodb", "list_tables", "UnrecognizedClientException"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("sns", "list_topics", "InvalidClientTokenId"),
        ("sqs", "list_queues", "InvalidClientTokenId"),
    ],
)
def test_keys_that_nobody_lent_are_refused(cloud: Any, service: str, operation: str, code: str) -> None:
    stranger = cloud.client(service, Credentials("AKIAIOSFODNN7EXAMPLE", "secret", None))

    assert refusal(getattr(stranger, operation))[:2] == (
        code,
        "The security token included in the request is invalid.",
    )


def test_a_session_key_without_its_token_is_refused(cloud: Any) -> None:
    lent = cloud.session(ALLOW_ALL)
    thief = Credentials(lent.access_key, lent.secret_key, "another token")

    assert refusal(cloud.client("dynamodb", thief).list_tables)[0] == "UnrecognizedClientException"


def test_a_request_that_nobody_signed_is_refused(cloud: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud.clients.endpoint_url}/moto-api/data.json")

    with caught.value as response:
        assert response.code == 403


def test_signing_in_needs_no_signature(cloud: Any) -> None:
    cognito = cloud.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]

    with urllib.request.urlopen(f"{cloud.clients.endpoint_url}/{pool}/.well-known/jwks.json") as response:
        assert b'"keys"' in response.read()


def test_a_presigned_url_carries_its_caller(cloud: Any) -> None:
    make_things(cloud)
    cloud.client("s3").put_object(Bucket="parked", Key="a", Body=b"hello")
    may = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::parked/a"}
    s3 = cloud.client("s3", cloud.session(may))

    def get(key: str) -> bytes:
        url = s3.generate_presigned_url("get_object", Params={"Bucket": "parked", "Key": key})
        with urllib.request.urlopen(url) as response:
            return bytes(response.read())

    assert get("a") == b"hello"
    with pytest.raises(urllib.error.HTTPError) as caught:
        get("b")
    caught.value.close()


def test_an_object_passes_unharmed(cloud: Any) -> None:
    make_things(cloud)
    s3 = cloud.client("s3", cloud.session(ALLOW_ALL))
    data = bytes(range(256)) * 5000

    s3.put_object(Bucket="parked", Key="x/y z+ü", Body=data, Metadata={"who": "me"})
    got = s3.get_object(Bucket="parked", Key="x/y z+ü")

    assert (got["Body"].read(), got["Metadata"]) == (data, {"who": "me"})


def test_who_am_i(cloud: Any) -> None:
    sts = cloud.client("sts", cloud.session())

    assert sts.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/role/session"
    assert cloud.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/local"


class Failing:
    """A service of ours that fails in each way in which one can."""

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation == "DescribeCollection":
            raise ServiceError("ResourceNotFoundException", "no such <collection>")
        if operation == "ListCollections":
            return {"CollectionIds": [params["MaxResults"] * "c"], "FaceModelVersions": ["7"]}
        raise ZeroDivisionError("a bug")


def test_a_service_of_ours_answers_by_its_model(cloud: Any) -> None:
    cloud.gateway.services["rekognition"] = Failing()
    rekognition = cloud.client("rekognition")

    assert rekognition.list_collections(MaxResults=3)["CollectionIds"] == ["ccc"]
    assert refusal(rekognition.describe_collection, CollectionId="c") == (
        "ResourceNotFoundException",
        "no such <collection>",
        400,
    )


def test_a_bug_in_a_service_of_ours_is_one_line_to_the_caller(cloud: Any) -> None:
    cloud.gateway.services["rekognition"] = Failing()

    code, message, status = refusal(cloud.client("rekognition").create_collection, CollectionId="c")

    assert (code, status) == ("InternalFailure", 500)
    assert message == "The local runtime failed: ZeroDivisionError: a bug"


def test_a_port_in_use_is_an_os_error(cloud: Any) -> None:
    port = int(cloud.clients.endpoint_url.rsplit(":", 1)[1])

    with pytest.raises(OSError, match="in use"):
        serve(cloud.gateway, port)


def test_a_closed_gateway_answers_nobody(cloud: Any) -> None:
    server = serve(cloud.gateway)
    kept_open = boto3.client(
        "dynamodb",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    kept_open.list_tables()

    server.close()

    with pytest.raises(OSError, match=r"refused|reset"):
        urllib.request.urlopen(server.url, timeout=1)
