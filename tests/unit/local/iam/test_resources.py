"""The table from actions to ARNs: what every kind of request needs."""

from typing import Any

import pytest

from sightline_local.iam.arns import Place
from sightline_local.iam.resources import action_of, needs

PLACE = Place("123456789012", "us-east-1")


def needed(service: str, operation: str, **params: Any) -> list[tuple[str, str]] | None:
    found = needs(PLACE, action_of(service, operation), params)
    return None if found is None else [(need.action, need.resource) for need in found]


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:us-east-1:123456789012:{rest}"


QUEUE_URL = "http://127.0.0.1:4566/123456789012/orders"


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("dynamodb", "GetItem", {"TableName": "t"}, arn("dynamodb", "table/t")),
        ("dynamodb", "GetItem", {"TableName": arn("dynamodb", "table/t")}, arn("dynamodb", "table/t")),
        ("dynamodb", "Query", {"TableName": "t"}, arn("dynamodb", "table/t")),
        ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}, arn("dynamodb", "table/t/index/i")),
        ("kinesis", "PutRecords", {"StreamName": "s"}, arn("kinesis", "stream/s")),
        ("kinesis", "PutRecord", {"StreamARN": arn("kinesis", "stream/s")}, arn("kinesis", "stream/s")),
        ("kinesis", "GetRecords", {"ShardIterator": "%%%"}, "*"),
        (
            "kinesis",
            "RegisterStreamConsumer",
            {"StreamARN": arn("kinesis", "stream/s")},
            arn("kinesis", "stream/s"),
        ),
        (
            "kinesis",
            "DescribeStreamConsumer",
            {"StreamARN": arn("kinesis", "stream/s"), "ConsumerName": "c"},
            arn("kinesis", "stream/s/consumer/c:*"),
        ),
        ("firehose", "PutRecord", {"DeliveryStreamName": "d"}, arn("firehose", "deliverystream/d")),
        ("redshift-data", "ExecuteStatement", {"ResourceArn": "arn:w"}, "arn:w"),
        ("redshift-data", "GetStatementResult", {"Id": "1"}, "*"),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s"}, arn("secretsmanager", "secret:s-??????")),
        ("sqs", "AddPermission", {"QueueUrl": QUEUE_URL}, arn("sqs", "orders")),
        ("s3", "PutBucketPolicy", {"Bucket": "b"}, "arn:aws:s3:::b"),
        (
            "kinesisvideo",
            "PutMedia",
            {"StreamARN": arn("kinesisvideo", "stream/v/1")},
            arn("kinesisvideo", "stream/v/1"),
        ),
        ("kinesisvideo", "CreateStream", {"StreamName": "v"}, arn("kinesisvideo", "stream/v/*")),
        ("rekognition", "IndexFaces", {"CollectionId": "c"}, arn("rekognition", "collection/c")),
        ("rekognition", "StartStreamProcessor", {"Name": "p"}, arn("rekognition", "streamprocessor/p")),
        ("rekognition", "DetectFaces", {"Image": {}}, "*"),
        ("sns", "Publish", {"TopicArn": arn("sns", "t")}, arn("sns", "t")),
        ("sns", "Unsubscribe", {"SubscriptionArn": arn("sns", "t:1-2")}, arn("sns", "t")),
        ("sqs", "SendMessage", {"QueueUrl": QUEUE_URL}, arn("sqs", "orders")),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k/x"}, "arn:aws:s3:::b/k/x"),
        (
            "states",
            "StartExecution",
            {"stateMachineArn": arn("states", "stateMachine:m")},
            arn("states", "stateMachine:m"),
        ),
        (
            "states",
            "DescribeExecution",
            {"executionArn": arn("states", "execution:m:e")},
            arn("states", "execution:m:e"),
        ),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/r"}, "arn:aws:iam::1:role/r"),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "g", "logStreamName": "s"},
            arn("logs", "log-group:g:log-stream:s"),
        ),
        ("cognito-idp", "AdminCreateUser", {"UserPoolId": "p"}, arn("cognito-idp", "userpool/p")),
        ("cloudformation", "DescribeStacks", {"StackName": "s"}, arn("cloudformation", "stack/s/*")),
    ],
)
def test_a_request_needs_its_action_on_its_resource(
    service: str, operation: str, params: dict[str, Any], expected: str
) -> None:
    assert needed(service, operation, **params) == [(f"{service}:{operation}", expected)]


@pytest.mark.parametrize("name", ["f", arn("lambda", "function:f"), "123456789012:function:f"])
def test_invoke_is_the_action_invoke_function_whatever_names_the_function(name: str) -> None:
    assert needed("lambda", "Invoke", FunctionName=name) == [
        ("lambda:InvokeFunction", arn("lambda", "function:f"))
    ]


@pytest.mark.parametrize(
    "named",
    [
        {"FunctionName": "f:$LATEST"},
        {"FunctionName": "f", "Qualifier": "$LATEST"},
        {"FunctionName": arn("lambda", "function:f:$LATEST")},
    ],
)
def test_who_names_a_version_is_asked_for_the_permission_on_that(named: dict[str, str]) -> None:
    assert needed("lambda", "Invoke", **named) == [
        ("lambda:InvokeFunction", arn("lambda", "function:f:$LATEST"))
    ]


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("HeadObject", "s3:GetObject"),
        ("UploadPart", "s3:PutObject"),
        ("CreateMultipartUpload", "s3:PutObject"),
    ],
)
def test_object_operations_of_s3_count_as_their_actions(operation: str, action: str) -> None:
    assert needed("s3", operation, Bucket="b", Key="k") == [(action, "arn:aws:s3:::b/k")]


@pytest.mark.parametrize("operation", ["HeadBucket", "ListObjects", "ListObjectsV2"])
def test_looking_into_a_bucket_is_list_bucket(operation: str) -> None:
    assert needed("s3", operation, Bucket="b") == [("s3:ListBucket", "arn:aws:s3:::b")]


def test_a_batch_needs_every_table() -> None:
    assert needed("dynamodb", "BatchGetItem", RequestItems={"a": {}, "b": {}}) == [
        ("dynamodb:BatchGetItem", arn("dynamodb", "table/a")),
        ("dynamodb:BatchGetItem", arn("dynamodb", "table/b")),
    ]


def test_a_transaction_needs_the_action_of_each_part() -> None:
    parts = [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]

    assert needed("dynamodb", "TransactWriteItems", TransactItems=parts) == [
        ("dynamodb:PutItem", arn("dynamodb", "table/a")),
        ("dynamodb:ConditionCheckItem", arn("dynamodb", "table/b")),
    ]


def test_deleting_objects_needs_delete_object_on_each() -> None:
    assert needed("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "x"}, {"Key": "y"}]}) == [
        ("s3:DeleteObject", "arn:aws:s3:::b/x"),
        ("s3:DeleteObject", "arn:aws:s3:::b/y"),
    ]


def test_copying_needs_to_read_the_source() -> None:
    assert needed("s3", "CopyObject", Bucket="b", Key="k", CopySource="a/x?versionId=1") == [
        ("s3:GetObject", "arn:aws:s3:::a/x"),
        ("s3:PutObject", "arn:aws:s3:::b/k"),
    ]


def test_a_stream_processor_needs_processor_collection_and_the_passing_of_its_role() -> None:
    found = needs(
        PLACE,
        "rekognition:CreateStreamProcessor",
        {"Name": "p", "RoleArn": "arn:aws:iam::1:role/r", "Settings": {"FaceSearch": {"CollectionId": "c"}}},
    )

    assert found is not None
    assert [(need.action, need.resource) for need in found] == [
        ("rekognition:CreateStreamProcessor", arn("rekognition", "streamprocessor/p")),
        ("rekognition:CreateStreamProcessor", arn("rekognition", "collection/c")),
        ("iam:PassRole", "arn:aws:iam::1:role/r"),
    ]
    assert found[2].context == {"iam:PassedToService": "rekognition.amazonaws.com"}


def test_a_new_mapping_has_no_arn_but_names_its_function() -> None:
    found = needs(PLACE, "lambda:CreateEventSourceMapping", {"FunctionName": "f", "EventSourceArn": "…"})

    assert found is not None
    assert (found[0].resource, found[0].context) == (
        "*",
        {"lambda:FunctionArn": arn("lambda", "function:f")},
    )


def test_a_mapping_is_its_own_resource_and_names_its_function() -> None:
    params = {"UUID": "u", "MappedFunctionArn": arn("lambda", "function:f")}

    found = needs(PLACE, "lambda:DeleteEventSourceMapping", params)

    assert found is not None
    assert found[0].resource == arn("lambda", "event-source-mapping:u")
    assert found[0].context == {"lambda:FunctionArn": arn("lambda", "function:f")}


def test_asking_who_one_is_needs_no_permission() -> None:
    assert needed("sts", "GetCallerIdentity") == []


def test_an_action_that_nobody_wrote_a_rule_for_has_none() -> None:
    assert needed("dynamodb", "CreateGlobalTable", GlobalTableName="g") is None


def test_glue_asks_for_a_table_and_for_all_that_it_is_in() -> None:
    assert needed("glue", "GetTable", DatabaseName="d", Name="t") == [
        ("glue:GetTable", arn("glue", "catalog")),
        ("glue:GetTable", arn("glue", "database/d")),
        ("glue:GetTable", arn("glue", "table/d/t")),
    ]


def test_a_delivery_stream_passes_every_role_that_it_names() -> None:
    needs = needed(
        "firehose",
        "CreateDeliveryStream",
        DeliveryStreamName="d",
        KinesisStreamSourceConfiguration={"RoleARN": "arn:aws:iam::1:role/a"},
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::1:role/b",
            "DataFormatConversionConfiguration": {
                "SchemaConfiguration": {"RoleARN": "arn:aws:iam::1:role/a"}
            },
        },
    )

    assert [need for need in needs or [] if need[0] == "iam:PassRole"] == [
        ("iam:PassRole", "arn:aws:iam::1:role/a"),
        ("iam:PassRole", "arn:aws:iam::1:role/b"),
    ]
