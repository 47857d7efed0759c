"""What programs were told is done is there after a restart."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.state.conftest import Stack


def thing(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": {"S": "a"}, "number": {"N": str(number)}, **more}


def items(stack: Stack, table: str = "things") -> list[Any]:
    found: list[Any] = stack.client("dynamodb").scan(TableName=table)["Items"]
    return found


def test_items_are_as_the_last_write_left_them(stack: Stack) -> None:
    dynamodb = stack.client("dynamodb")
    odd = {"M": {"$moment": {"S": "x"}, "n": {"N": "1.50"}, "l": {"L": [{"NULL": True}, {"SS": ["é"]}]}}}
    dynamodb.put_item(TableName="things", Item=thing(1, odd=odd, bytes={"B": b"\x00\xff"}))
    dynamodb.update_item(
        TableName="things",
        Key=thing(2),
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "5"}},
    )
    requests = [{"PutRequest": {"Item": thing(n)}} for n in (3, 4, 5)]
    dynamodb.batch_write_item(RequestItems={"things": requests})
    dynamodb.delete_item(TableName="things", Key=thing(3))
    dynamodb.transact_write_items(
        TransactItems=[
            {"Delete": {"TableName": "things", "Key": thing(4)}},
            {"Put": {"TableName": "things", "Item": thing(6)}},
        ]
    )
    dynamodb.execute_statement(Statement="INSERT INTO \"things\" VALUE {'kind': 'a', 'number': 7}")
    before = items(stack)

    stack.restart()

    assert items(stack) == before
    assert sorted(item["number"]["N"] for item in before) == ["1", "2", "5", "6", "7"]


def test_a_write_that_was_refused_leaves_no_fact(stack: Stack) -> None:
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(TableName="things", Item=thing(1))
    with pytest.raises(ClientError):
        dynamodb.put_item(
            TableName="things", Item=thing(1, n={"N": "2"}), ConditionExpression="attribute_not_exists(kind)"
        )

    stack.restart()

    assert items(stack) == [thing(1)]


def test_objects_keep_their_bytes_metadata_and_tags(stack: Stack) -> None:
    s3 = stack.client("s3")
    large = bytes(range(256)) * 4096
    s3.put_object(
        Bucket="files", Key="a/ü 1.txt", Body=b"text", ContentType="text/plain", Metadata={"who": "me"}
    )
    s3.put_object(Bucket="files", Key="large", Body=large, Tagging="colour=red")
    s3.put_object(Bucket="files", Key="gone", Body=large)
    s3.delete_object(Bucket="files", Key="gone")
    s3.copy_object(Bucket="files", Key="copy", CopySource="files/a/ü 1.txt")
    before = s3.head_object(Bucket="files", Key="a/ü 1.txt")

    stack.restart()

    s3 = stack.client("s3")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="files")["Contents"]] == [
        "a/ü 1.txt",
        "copy",
        "large",
    ]
    after = s3.get_object(Bucket="files", Key="a/ü 1.txt")
    for name in ("ETag", "LastModified", "ContentType", "Metadata", "ContentLength"):
        assert after[name] == before[name]
    assert after["Body"].read() == b"text"
    assert s3.get_object(Bucket="files", Key="large")["Body"].read() == large
    tags = s3.get_object_tagging(Bucket="files", Key="large")["TagSet"]
    assert tags == [{"Key": "colour", "Value": "red"}]
    assert stack.options.data_dir is not None
    assert len(list((stack.options.data_dir / "objects").iterdir())) == 1


def test_versions_and_delete_markers_survive(stack: Stack) -> None:
    s3 = stack.client("s3")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="files", Key="k", Body=body)
    s3.delete_object(Bucket="files", Key="k")

    stack.restart()

    s3 = stack.client("s3")
    versions = s3.list_object_versions(Bucket="files")
    assert len(versions["Versions"]) == 2
    assert len(versions["DeleteMarkers"]) == 1
    oldest = versions["Versions"][-1]["VersionId"]
    assert s3.get_object(Bucket="files", Key="k", VersionId=oldest)["Body"].read() == b"1"


def test_a_multipart_upload_goes_on_where_it_was(stack: Stack) -> None:
    s3 = stack.client("s3")
    part = bytes(5 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket="files", Key="k", Metadata={"who": "me"})["UploadId"]
    first = s3.upload_part(Bucket="files", Key="k", UploadId=upload, PartNumber=1, Body=part)["ETag"]

    stack.restart()

    s3 = stack.client("s3")
    second = s3.upload_part(Bucket="files", Key="k", UploadId=upload, PartNumber=2, Body=b"end")["ETag"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    s3.complete_multipart_upload(Bucket="files", Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    stack.restart()
    found = stack.client("s3").get_object(Bucket="files", Key="k")
    assert found["Body"].read() == part + b"end"
    assert found["Metadata"] == {"who": "me"}


def test_messages_wait_and_deleted_ones_stay_deleted(stack: Stack) -> None:
    sqs, url = stack.client("sqs"), stack.runtime.outputs["Work"]
    attributes = {"n": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    for body in ("1", "2", "3"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    first, second = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])

    stack.restart()

    sqs, url = stack.client("sqs"), stack.runtime.outputs["Work"]
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    )["Messages"]
    assert [message["Body"] for message in found] == ["2", "3"]
    assert found[0]["MessageId"] == second["MessageId"]
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in found] == ["2", "1"]
    assert found[0]["MessageAttributes"] == attributes


def test_a_receipt_handle_of_before_still_deletes(stack: Stack) -> None:
    sqs, url = stack.client("sqs"), stack.runtime.outputs["Work"]
    sqs.send_message(QueueUrl=url, MessageBody="1")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]

    stack.restart()
    stack.client("sqs").delete_message(QueueUrl=stack.runtime.outputs["Work"], ReceiptHandle=handle)
    stack.restart()

    assert "Messages" not in stack.client("sqs").receive_message(QueueUrl=stack.runtime.outputs["Work"])


def test_a_message_is_in_one_queue_only_after_its_redrive(stack: Stack) -> None:
    sqs, url = stack.client("sqs"), stack.runtime.outputs["Work"]
    sqs.send_message(QueueUrl=url, MessageBody="1")
    for _ in range(3):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)

    stack.restart()

    sqs = stack.client("sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=stack.runtime.outputs["Work"])
    assert len(sqs.receive_message(QueueUrl=stack.runtime.outputs["Dead"])["Messages"]) == 1


def test_users_sign_in_and_refresh_as_before(stack: Stack) -> None:
    cognito, pool, client = stack.client("cognito-idp"), *map(stack.runtime.outputs.get, ("Pool", "Client"))
    cognito.create_group(UserPoolId=pool, GroupName="guards")
    cognito.admin_create_user(UserPoolId=pool, Username="ada")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password="Secret-1!", Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="ada", GroupName="guards")
    signed_in = {
        "UserPoolId": pool,
        "ClientId": client,
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ada", "PASSWORD": "Secret-1!"},
    }
    tokens = cognito.admin_initiate_auth(**signed_in)["AuthenticationResult"]
    before = cognito.admin_get_user(UserPoolId=pool, Username="ada")["UserAttributes"]

    stack.restart()

    cognito = stack.client("cognito-idp")
    assert (stack.runtime.outputs["Pool"], stack.runtime.outputs["Client"]) == (pool, client)
    assert cognito.admin_get_user(UserPoolId=pool, Username="ada")["UserAttributes"] == before
    groups = cognito.admin_list_groups_for_user(UserPoolId=pool, Username="ada")["Groups"]
    assert [group["GroupName"] for group in groups] == ["guards"]
    assert cognito.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ada"
    assert cognito.admin_initiate_auth(**signed_in)["AuthenticationResult"]["AccessToken"]
    refreshed = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )
    assert refreshed["AuthenticationResult"]["AccessToken"]


def test_subscriptions_made_at_run_time_deliver_under_the_same_arn(stack: Stack) -> None:
    sns, topic = stack.client("sns"), stack.runtime.outputs["News"]
    queue = "arn:aws:sqs:us-east-1:123456789012:work"
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
        },
    }
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.runtime.outputs["Work"], Attributes={"Policy": json.dumps(policy)}
    )
    filters = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"level": ["high"]})}
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=filters)["SubscriptionArn"]
    gone = sns.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True
    )
    sns.unsubscribe(SubscriptionArn=gone["SubscriptionArn"])

    stack.restart()

    sns = stack.client("sns")
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [subscription["SubscriptionArn"] for subscription in found] == [arn]
    high = {"level": {"DataType": "String", "StringValue": "high"}}
    sns.publish(TopicArn=topic, Message="no")
    sns.publish(TopicArn=topic, Message="yes", MessageAttributes=high)
    url = stack.runtime.outputs["Work"]
    messages = stack.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == ["yes"]


def test_what_was_made_at_run_time_is_made_again_with_its_contents(stack: Stack) -> None:
    dynamodb, sqs, s3 = (stack.client(service) for service in ("dynamodb", "sqs", "s3"))
    dynamodb.create_table(
        TableName="more",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="more", Item={"k": {"S": "1"}})
    url = sqs.create_queue(QueueName="more")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    sqs.send_message(QueueUrl=url, MessageBody="1")
    s3.create_bucket(Bucket="more")
    s3.put_object(Bucket="more", Key="k", Body=b"1")
    arn = stack.client("sns").create_topic(Name="more")["TopicArn"]
    stack.client("iam").create_role(RoleName="more", AssumeRolePolicyDocument="{}")

    stack.restart()

    sqs = stack.client("sqs")
    assert items(stack, "more") == [{"k": {"S": "1"}}]
    url = sqs.get_queue_url(QueueName="more")["QueueUrl"]
    settings = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert settings == {"VisibilityTimeout": "7"}
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "1"
    assert stack.client("s3").get_object(Bucket="more", Key="k")["Body"].read() == b"1"
    assert stack.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["TopicArn"] == arn
    assert stack.client("iam").get_role(RoleName="more")["Role"]["RoleName"] == "more"


def test_what_was_deleted_at_run_time_stays_deleted_and_leaves_nothing(stack: Stack) -> None:
    sqs, dynamodb = stack.client("sqs"), stack.client("dynamodb")
    url = sqs.create_queue(QueueName="more")["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
    sqs.send_message(QueueUrl=url, MessageBody="1")
    sqs.delete_queue(QueueUrl=url)
    dynamodb.put_item(TableName="things", Item=thing(1))
    dynamodb.delete_table(TableName="things")

    stack.restart()

    assert [url.rpartition("/")[2] for url in stack.client("sqs").list_queues()["QueueUrls"]] == [
        "dead",
        "work",
    ]
    assert stack.client("dynamodb").list_tables()["TableNames"] == []
    assert stack.runtime.kept_aside == ()


def test_contents_of_a_resource_that_left_the_template_are_kept_aside(
    stack: Stack, without: Callable[[str], str]
) -> None:
    stack.client("dynamodb").put_item(TableName="things", Item=thing(1))
    whole = stack.options.template.read_text()

    stack.restart(without("Things"))

    assert stack.runtime.kept_aside == ("table things",)
    stack.restart(whole)
    assert items(stack) == [thing(1)]
