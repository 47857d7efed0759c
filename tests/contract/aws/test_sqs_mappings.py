"""What AWS says about event source mappings from queues, and what the runtime does."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg/"
WITH_SQS = pytest.mark.source(GUIDE + "with-sqs.html")
CONFIGURE = pytest.mark.source(GUIDE + "services-sqs-configure.html")
ERRORS = pytest.mark.source(GUIDE + "services-sqs-errorhandling.html")
FILTERING = pytest.mark.source(GUIDE + "with-sqs-filtering.html")
SCALING = pytest.mark.source(GUIDE + "services-sqs-scaling.html")
PARAMETERS = pytest.mark.source(GUIDE + "services-sqs-parameters.html")

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Seen:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Runtime: python3.13
      Handler: worker.handle
      CodeUri: code
      Timeout: 1
      Environment: {Variables: {SEEN: !Ref Seen}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "sqs:*", Resource: "*"}
"""
WORKER = """
import json, os, time
import boto3
sqs = boto3.client("sqs")
def handle(event, context):
    sqs.send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
    bodies = [record["body"] for record in event["Records"]]
    if "slow" in bodies:
        time.sleep(0.3)
    if "throw" in bodies:
        raise ValueError("thrown")
    bad = [record["messageId"] for record in event["Records"] if record["body"].startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""


Client = Callable[[str], Any]
Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {"code/worker.py": WORKER}


class Work:
    """A queue of its own for each test, and what the worker saw of it."""

    def __init__(self, client: Client, name: str, until: Callable[..., Any]) -> None:
        self.client, self.until = client, until
        self.sqs = client("sqs")
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        self.uuid = ""
        self._events: Events = []

    def map(self, **settings: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.client("lambda").create_event_source_mapping(
            FunctionName="worker", EventSourceArn=self.arn, **settings
        )
        self.uuid = made["UUID"]
        return made

    def send(self, *bodies: str, **more: Any) -> None:
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body, **more}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def events(self) -> Events:
        """Every event of this queue that the worker was called with so far."""
        seen = self.sqs.get_queue_url(QueueName=self._seen())["QueueUrl"]
        while found := self.sqs.receive_message(QueueUrl=seen, MaxNumberOfMessages=10).get("Messages"):
            self._events += [json.loads(message["Body"]) for message in found]
        return [event for event in self._events if event["Records"][0]["eventSourceARN"] == self.arn]

    def batches(self) -> list[list[str]]:
        return [[record["body"] for record in event["Records"]] for event in self.events()]

    def bodies(self) -> list[str]:
        return sorted(body for batch in self.batches() for body in batch)

    def _seen(self) -> str:
        urls = self.sqs.list_queues(QueueNamePrefix="conformance-Seen")["QueueUrls"]
        return str(urls[0]).rpartition("/")[2]

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))

    def hide_for(self, seconds: int) -> None:
        """How long a received message stays hidden."""
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)})

    def settled(self) -> None:
        """Nothing is left, and nothing under way."""
        self.until(lambda: self.left() == 0)

    def result(self) -> str:
        got = self.client("lambda").get_event_source_mapping(UUID=self.uuid)
        return str(got["LastProcessingResult"])

    def end(self) -> None:
        if self.uuid:
            self.client("lambda").delete_event_source_mapping(UUID=self.uuid)


@pytest.fixture
def work(client: Client, until: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    work = Work(client, f"jobs-{abs(hash(request.node.name))}", until)
    yield work
    work.end()


@WITH_SQS
def test_the_event_has_each_message_with_its_attributes(work: Work) -> None:
    color = {"StringValue": "red", "DataType": "String"}
    raw = {"BinaryValue": b"\x00\xff", "DataType": "Binary"}
    work.send("hello", MessageAttributes={"color": color, "raw": raw})
    work.map()

    [event] = work.until(work.events)

    [record] = event["Records"]
    assert record["body"] == "hello"
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == work.arn
    assert record["attributes"].keys() >= {
        *("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["color"] == {
        "stringValue": "red",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert record["messageAttributes"]["raw"]["binaryValue"] == "AP8="
    assert record["messageId"]
    assert record["receiptHandle"]


@WITH_SQS
def test_messages_of_a_batch_that_went_well_are_deleted(work: Work) -> None:
    work.map()
    work.send("a", "b")

    work.settled()

    assert work.bodies() == ["a", "b"]
    assert work.result() == "OK"


@ERRORS
def test_a_batch_that_fails_comes_back_after_the_visibility_timeout(work: Work) -> None:
    work.hide_for(1)
    work.map()
    began = time.monotonic()
    work.send("throw")

    work.until(lambda: len(work.batches()) >= 2)

    assert time.monotonic() - began >= 1
    assert work.events()[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    work.until(lambda: work.result() != "OK")
    assert work.result() == "PROBLEM: Function call failed"


@ERRORS
def test_with_partial_responses_only_the_failed_messages_stay(work: Work) -> None:
    work.hide_for(1)
    work.send("bad", "good", "fine")
    work.map(FunctionResponseTypes=["ReportBatchItemFailures"])

    work.until(lambda: work.left() == 1)

    work.until(lambda: work.bodies()[:2] == ["bad", "bad"])
    assert work.bodies()[-2:] == ["fine", "good"]


@ERRORS
def test_without_partial_responses_reported_failures_are_not_looked_at(work: Work) -> None:
    work.send("bad", "good")
    work.map()

    work.settled()

    assert work.bodies() == ["bad", "good"]


@ERRORS
def test_an_exception_fails_every_message_of_the_batch(work: Work) -> None:
    work.send("throw", "good")
    work.map(FunctionResponseTypes=["ReportBatchItemFailures"])

    work.until(lambda: work.result().startswith("PROBLEM"))

    assert work.left() == 2


@ERRORS
def test_what_fails_as_often_as_the_queue_says_goes_to_its_dead_letter_queue(work: Work) -> None:
    dead = work.sqs.create_queue(QueueName=work.arn.rpartition(":")[2] + "-dead")["QueueUrl"]
    dead_arn = work.arn + "-dead"
    work.hide_for(1)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "1"})
    work.sqs.set_queue_attributes(QueueUrl=work.url, Attributes={"RedrivePolicy": redrive})
    work.map()
    work.send("throw")

    [message] = work.until(lambda: work.sqs.receive_message(QueueUrl=dead).get("Messages"))

    assert message["Body"] == "throw"
    assert work.batches() == [["throw"]]


@PARAMETERS
def test_a_batch_has_ten_messages_at_the_most_unless_it_is_said(work: Work) -> None:
    work.send(*[f"{number:02}" for number in range(12)])
    assert work.map()["BatchSize"] == 10

    work.settled()

    assert sorted(len(batch) for batch in work.batches()) == [2, 10]


@CONFIGURE
def test_a_batching_window_gathers_more_than_ten(work: Work) -> None:
    work.send(*[f"{number:02}" for number in range(15)])
    work.map(BatchSize=15, MaximumBatchingWindowInSeconds=1)

    work.settled()

    assert [len(batch) for batch in work.batches()] == [15]


@CONFIGURE
def test_a_batch_of_more_than_ten_needs_a_window(work: Work, refusal: Callable[..., Any]) -> None:
    refused = refusal(work.map, BatchSize=11)

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"


@CONFIGURE
def test_the_functions_timeout_must_not_exceed_the_queues_visibility(
    work: Work, refusal: Callable[..., Any]
) -> None:
    work.hide_for(0)

    refused = refusal(work.map)

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "Queue visibility timeout: 0 seconds is less than Function timeout: 1 seconds" in str(refused)


@FILTERING
def test_a_message_that_no_filter_wants_is_deleted(work: Work) -> None:
    pattern = json.dumps({"body": {"kind": ["alert"]}})
    work.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    work.send('{"kind": "alert"}', '{"kind": "noise"}', "plain")

    work.settled()

    assert work.bodies() == ['{"kind": "alert"}']


@FILTERING
def test_a_plain_text_is_filtered_by_plain_texts(work: Work) -> None:
    pattern = json.dumps({"body": ["go", {"prefix": "re"}]})
    work.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    work.send("go", "retry", "stop", '{"go": 1}')

    work.settled()

    assert work.bodies() == ["go", "retry"]


@FILTERING
def test_filters_of_a_queue_look_at_the_body_only(work: Work, refusal: Callable[..., Any]) -> None:
    pattern = json.dumps({"attributes": {"SenderId": ["me"]}})

    refused = refusal(work.map, FilterCriteria={"Filters": [{"Pattern": pattern}]})

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"


@SCALING
def test_maximum_concurrency_limits_the_batches_at_the_same_time(work: Work) -> None:
    work.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    began = time.monotonic()
    work.send(*["slow"] * 4)

    work.settled()

    assert time.monotonic() - began >= 0.6
    assert work.batches() == [["slow"]] * 4


@PARAMETERS
@pytest.mark.parametrize(
    "setting",
    [
        {"StartingPosition": "LATEST"},
        {"BisectBatchOnFunctionError": True},
        {"MaximumRetryAttempts": 3},
        {"ParallelizationFactor": 2},
        {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:dead"}}},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_what_only_streams_have_is_refused(
    work: Work, refusal: Callable[..., Any], setting: dict[str, Any]
) -> None:
    refused = refusal(work.map, **setting)

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"
    assert next(iter(setting)) in str(refused)


@CONFIGURE
def test_the_functions_role_must_be_allowed_to_receive(
    work: Work, role_with: Callable[..., str], client: Client, refusal: Callable[..., Any]
) -> None:
    iam, role = client("iam"), client("lambda").get_function(FunctionName="worker")["Configuration"]["Role"]
    name = role.rpartition("/")[2]
    denied = {"Effect": "Deny", "Action": "sqs:ReceiveMessage", "Resource": work.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=name, PolicyName="no", PolicyDocument=document)

    refused = refusal(work.map)

    iam.delete_role_policy(RoleName=name, PolicyName="no")
    assert "does not have permissions to call ReceiveMessage on SQS" in str(refused)


@pytest.mark.source("https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html")
def test_a_queue_and_a_function_have_one_mapping(work: Work, refusal: Callable[..., Any]) -> None:
    uuid = work.map()["UUID"]

    refused = refusal(work.map)

    assert refused.response["Error"]["Code"] == "ResourceConflictException"
    assert uuid in str(refused)


@pytest.mark.source("https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html")
def test_a_disabled_mapping_leaves_messages_in_the_queue_until_it_is_enabled(work: Work) -> None:
    work.map(Enabled=False)
    work.send("later")
    assert work.left() == 1

    work.client("lambda").update_event_source_mapping(UUID=work.uuid, Enabled=True)

    work.settled()
    assert work.bodies() == ["later"]
