"""From a face record's arrival in the face stream to its alert on the topic, in the local runtime.

Arrival is the record's ApproximateArrivalTimestamp, publication the Timestamp that SNS gives the message when
it accepts it (cut to milliseconds); both are of one clock. The way on to a subscriber is not in it.
"""

import json
import statistics
import time
from collections.abc import Iterator
from datetime import datetime

from benchmarks.face_record import face_record
from benchmarks.measure import Measurement
from benchmarks.world import PATIENCE_SECONDS, TEMPLATE, Item, enrol, face_id_of, register
from sightline_cli.replay import face_stream_writer
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of
from sightline_local.runtime import Runtime, RuntimeOptions

DEVICE_ID = "bench"
# An engine's PutRecords: ten frames of one person each tenth of a second, and each time a new person.
RECORDS_PER_CALL, CALL_SECONDS = 10, 0.1
# The first calls start sandboxes, of the functions behind the alerts too; they are not measured.
WARM_UP_CALLS, CALLS = 50, 200


def run() -> Iterator[Measurement]:
    options = RuntimeOptions(template=TEMPLATE, api_port=0, aws_port=0)
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        device = register(api_of(stack), DEVICE_ID)
        people = [f"person-{number:03}" for number in range(WARM_UP_CALLS + CALLS)]
        enrol(stack, people)
        queue_url = _subscribe(stack)
        _send(stack, device, people)
        published = _published(stack, queue_url, len(people))
        arrived = _arrived(stack, device["face_stream_arn"])
    milliseconds = [(published[each] - arrived[each]) * 1000 for each in people[WARM_UP_CALLS:]]
    yield Measurement("record arrival to publish, median", statistics.median(milliseconds), "ms")
    p95 = statistics.quantiles(milliseconds, n=20, method="inclusive")[-1]
    yield Measurement("record arrival to publish, p95", p95, "ms", goal=100)


def _subscribe(stack: Stack) -> str:
    """A queue that is read when all is over, so that reading costs the runtime nothing meanwhile."""
    sqs = stack.client("sqs")
    queue_url = str(sqs.create_queue(QueueName="bench")["QueueUrl"])
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    stack.client("sns").subscribe(
        TopicArn=stack.output("AlertsTopicArn"), Protocol="sqs", Endpoint=attributes["QueueArn"]
    )
    return queue_url


def _send(stack: Stack, device: Item, people: list[str]) -> None:
    put = face_stream_writer(stack.client("kinesis"), device["face_stream_arn"], DEVICE_ID)
    first_frame, begin = time.time(), time.perf_counter()
    for call, person_id in enumerate(people):
        frames = [(call + each / RECORDS_PER_CALL) * CALL_SECONDS for each in range(RECORDS_PER_CALL)]
        records = [
            face_record(
                device["video_stream_arn"],
                seconds,
                producer_seconds=first_frame,
                face_id=face_id_of(person_id),
                person_id=person_id,
            )
            for seconds in frames
        ]
        time.sleep(max(0.0, begin + call * CALL_SECONDS - time.perf_counter()))
        if not all(put(records)):
            raise RuntimeError("the face stream refused a record")
    late = time.perf_counter() - begin - len(people) * CALL_SECONDS
    if late > 1:
        raise RuntimeError(f"the records could not be sent at their pace: {late:.1f} s behind")


def _published(stack: Stack, queue_url: str, wanted: int) -> dict[str, float]:
    """When the alert of each person was published; one that is missing or double is an error."""
    sqs, found = stack.client("sqs"), dict[str, float]()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        if len(found) == wanted and not answer.get("Messages"):
            return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"{wanted - len(found)} of {wanted} alerts did not come")
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            envelope = json.loads(message["Body"])
            person_id = json.loads(envelope["Message"])["person"]["id"]
            if person_id in found:
                raise RuntimeError(f"two alerts for {person_id}")
            found[person_id] = datetime.fromisoformat(envelope["Timestamp"]).timestamp()


def _arrived(stack: Stack, face_stream_arn: str) -> dict[str, float]:
    """When the first record of each person arrived."""
    kinesis, found = stack.client("kinesis"), dict[str, float]()
    for shard in kinesis.list_shards(StreamARN=face_stream_arn)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=face_stream_arn.rpartition("/")[2],
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
            face = json.loads(record["Data"])["FaceSearchResponse"][0]["MatchedFaces"][0]["Face"]
            arrived_at = record["ApproximateArrivalTimestamp"].timestamp()
            found.setdefault(face["ExternalImageId"], arrived_at)
    return found
