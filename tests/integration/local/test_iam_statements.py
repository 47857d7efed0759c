"""Every statement of template.yaml is needed by something that the system does, or says why not.

Everything that Sightline does is done once, with the real template: devices, cameras, faces, alerts,
evidence, and what goes wrong. Then the report of the runtime is held against what is written. A statement
(or an action or a resource of one) that nothing here can need says so in a comment: `# unused here: …`.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sightline.alerts.dynamo import DynamoVisits
from sightline.alerts.model import Notification
from sightline.alerts.visit import Visit
from sightline.alerts.visit_log import RaisedAlert, VisitLog
from sightline.clock import to_iso, utc_now
from sightline.deliveries import Delivery
from sightline.presence.dynamo import DynamoPresences
from sightline.presence.service import PresenceRecorder
from sightline.presence.sqs import SqsSetAside
from sightline_cli.api import ApiClient, ApiError
from sightline_cli.demo.clip import SECONDS, write_demo_clip
from sightline_cli.demo.people import enrol, own_enrolment
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of
from sightline_local.clock import Clock
from sightline_local.iam.report import IamReport, OwnerUse, StatementUse
from sightline_local.runtime import Runtime, RuntimeOptions
from sightline_local.template.source import Place, Source, read_source
from sightline_media import remux
from tests.builders import a_face_record, a_sighting_row, an_alert_record
from tests.fakes.producer import Producer

DEVICE = "gate-3"
VISIT_GAP_SECONDS = 60  # the template's default; the clip shows the person 6 seconds after its begin
COMMENT = "# unused here:"


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@dataclass
class System:
    """The running stack, and what its users do with it."""

    runtime: Runtime
    clock: Clock
    api: ApiClient
    stack: Stack

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def output(self, name: str) -> str:
        return self.runtime.outputs[name]

    def logical_ids(self) -> set[str]:
        """What is there; what a condition leaves out is not."""
        found = self.client("cloudformation").describe_stack_resources(StackName="sightline")
        return {each["LogicalResourceId"] for each in found["StackResources"]}

    def physical(self, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName="sightline", LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def device(self, device_id: str, *states: str) -> dict[str, Any]:
        found: dict[str, Any] = until(
            lambda: (read := self.api.device(device_id))["state"] in states and read
        )
        return found

    def gone(self, device_id: str) -> bool:
        try:
            self.api.device(device_id)
        except ApiError as error:
            return error.status == 404
        return False

    def put(self, stream: str, *payloads: bytes) -> None:
        records = [{"Data": payload, "PartitionKey": DEVICE} for payload in payloads]
        self.client("kinesis").put_records(StreamName=stream, Records=records)

    def lent(self, service: str, role_arn: str, principal: str) -> Any:
        """A client with the role that a service of AWS lends to the process which it runs."""
        lent = self.runtime.lend(role_arn, principal)
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.runtime.aws_url, region_name="us-east-1", **lent.for_boto3()
        )

    def keys(self, bucket: str) -> set[str]:
        found = self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        return {each["Key"] for each in found}


@pytest.fixture(scope="module")
def system(repository: Path) -> Iterator[System]:
    clock = Clock()
    options = RuntimeOptions(
        template=repository / "template.yaml",
        parameters={"Presence": "true", "StreamingSql": "true"},
        api_port=0,
        aws_port=0,
        clock=clock,
    )
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, "us-east-1"))
        yield System(runtime, clock, api_of(stack), stack)


# ------------------------------------------------------------------ what users do


def manage_people(system: System) -> str:
    """Give the id of the person whom the clip shows."""
    api = system.api
    list_id = api.post("/watchlists", {"name": "Staff", "severity": "low", "reason": "Test"})["watchlist_id"]
    api.get("/watchlists")
    shown = enrol(api, own_enrolment())
    other = api.post("/people", {"name": "Somebody", "watchlist_ids": [list_id]})["person_id"]
    upload = api.post(f"/people/{other}/photos")
    sent = urllib.request.Request(upload["upload_url"], data=own_enrolment().photo, method="PUT")
    with urllib.request.urlopen(sent) as answer:
        assert answer.status == 200
    by_upload = {"photo_id": upload["photo_id"]}
    face = api.post(f"/people/{other}/faces", by_upload)["face_id"]
    with pytest.raises(ApiError):
        api.post(f"/people/{other}/faces", {"photo_id": "0" * 16})
    api.get("/people")
    api.request("PATCH", f"/people/{other}", {"name": "Somebody else"})
    api.delete(f"/people/{other}/faces/{face}")
    api.delete(f"/people/{other}")
    return shown


def film(system: System, person: str, folder: Path) -> dict[str, Any]:
    """A device is registered and its camera shows the person; give the alert that this raises."""
    api = system.api
    api.post("/devices", {"device_id": DEVICE, "name": "Gate 3", "site": "north"})
    with pytest.raises(ApiError, match="busy"):
        api.post(f"/devices/{DEVICE}/stop")
    api.get("/devices")
    device = system.device(DEVICE, "running")
    api.request("PATCH", f"/devices/{DEVICE}", {"name": "Gate three"})
    lent = api.post(f"/devices/{DEVICE}/credentials")
    clip = folder / "clip.mkv"
    write_demo_clip(clip)
    pieces = list(remux(clip))
    camera = boto3.client(
        "kinesisvideo",
        endpoint_url=system.runtime.aws_url,
        region_name="us-east-1",
        aws_access_key_id=lent["access_key_id"],
        aws_secret_access_key=lent["secret_access_key"],
        aws_session_token=lent["session_token"],
    )
    name = device["video_stream_arn"].split("/")[1]
    camera.describe_stream(StreamName=name)
    url = camera.get_data_endpoint(StreamName=name, APIName="PUT_MEDIA")["DataEndpoint"]
    began = time.time() - 60
    seen_by_a_process_that_is_gone(system, person, began - VISIT_GAP_SECONDS)

    def send(begin: float, part: list[Any]) -> None:
        headers = {
            "x-amz-security-token": lent["session_token"],
            "x-amzn-producer-start-timestamp": f"{begin:.3f}",
        }
        with Producer(url, name, headers, key=lent["access_key_id"]) as producer:
            producer.send(pieces[0].header + b"".join(each.cluster for each in part))
            producer.end()
            producer.rest()

    send(began, pieces[4:12])  # no more at once: a processor that is ten seconds behind skips
    (alert,) = until(lambda: api.get(f"/alerts?person_id={person}")["items"])
    assert api.get(f"/alerts/{alert['alert_id']}")["evidence"]["status"] == "pending"
    send(began, pieces[12:])  # as long as the evidence of what was seen wants to go on
    send(began + SECONDS, pieces[:4])
    return dict(alert)


def read_alerts(system: System, alert: dict[str, Any]) -> None:
    api, path = system.api, f"/alerts/{alert['alert_id']}"
    for query in ("", f"?device_id={DEVICE}"):
        assert api.get(f"/alerts{query}")["items"]
    api.post(f"{path}/acknowledge")
    evidence = until(lambda: (read := api.get(path)["evidence"])["status"] != "pending" and read)
    with urllib.request.urlopen(evidence["manifest_url"]) as answer:
        assert answer.status == 200
    until(lambda: api.get(f"/sightings?device_id={DEVICE}")["items"])
    assert api.get(f"/people/{alert['person']['id']}/journey")["items"]


def visits_of(system: System) -> DynamoVisits:
    tables = system.physical("VisitsTable"), system.physical("AlertsTable")
    return DynamoVisits(system.client("dynamodb"), *tables, timedelta(days=1))


def seen_by_a_process_that_is_gone(system: System, person: str, seen_at: float) -> None:
    """Whoever goes on with its visit has to ask the sightings when the person was last seen."""
    moment = datetime.fromtimestamp(seen_at, UTC)
    visit = Visit("vi-before", moment, moment, followers=frozenset({"gone"}))
    assert visits_of(system).write(VisitLog(DEVICE, person).holding(visit)).is_done


def park_what_cannot_be_read(system: System) -> None:
    device = system.api.device(DEVICE)
    faces = device["face_stream_arn"].rpartition("/")[2]
    system.put(faces, b"this is no face record")
    system.put(system.output("SightingsStreamName"), b"this is no row", json.dumps(a_sighting_row()).encode())
    until(lambda: len(system.keys(system.output("ParkedRecordsBucketName"))) >= 2)
    nobody = a_face_record(video_stream_arn=device["video_stream_arn"])

    def lives() -> Any:
        system.put(faces, nobody)  # the consumer notes once in ten seconds that frames still come
        return system.api.device(DEVICE)["last_face_record_at"]

    until(lives)


def fill_the_lake(system: System) -> None:
    """What was seen so far is delivered when the buffers' time is over."""

    def delivered() -> bool:
        system.clock.advance(timedelta(minutes=5))
        time.sleep(0.5)
        kinds = {key.partition("/")[0] for key in system.keys(system.output("LakeBucketName"))}
        return kinds >= {"sightings", "errors", "streaming", "streaming-errors"}

    until(delivered)


def ask_while_they_come(system: System) -> None:
    """What the Flink application does with its role, and what becomes of a crowd and a window it found."""
    kinesis = system.lent("kinesis", system.output("StreamingSqlRoleArn"), "kinesisanalytics.amazonaws.com")
    sightings = system.output("SightingsStreamName")
    kinesis.describe_stream(StreamName=sightings)
    shard = kinesis.list_shards(StreamName=sightings)["Shards"][0]["ShardId"]
    at = kinesis.get_shard_iterator(StreamName=sightings, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    kinesis.get_records(ShardIterator=at["ShardIterator"])
    system.api.request("PATCH", f"/devices/{DEVICE}", {"people_limit": 5})
    window = {"window_start": "2026-11-22T12:00:00.000Z", "window_end": "2026-11-22T12:01:00.000Z"}
    count = json.dumps({"query": "crowding", "device_id": DEVICE, "people": 7, **window}).encode()
    result = json.dumps({"query": "people_per_minute", "device_id": DEVICE, "people": 7, **window}).encode()
    for name, payloads in (
        ("CrowdingStreamName", [b"this is no count", count]),
        ("StreamingResultsStreamName", [result, b"this is no result"]),
    ):
        records = [{"Data": payload, "PartitionKey": "flink"} for payload in payloads]
        kinesis.put_records(StreamName=system.output(name), Records=records)
    crowds = system.physical("CrowdsTable")
    until(lambda: system.client("dynamodb").scan(TableName=crowds)["Items"])


def ask_who_is_where(system: System) -> None:
    """What the presence worker does with its role once the Kinesis Client Library has read a batch."""
    lent = system.runtime.lend(system.output("PresenceWorkerRoleArn"), "ecs-tasks.amazonaws.com")
    dynamodb, sqs = (
        boto3.client(  # type: ignore[call-overload]
            name,
            endpoint_url=system.runtime.aws_url,
            region_name="us-east-1",
            aws_access_key_id=lent.access_key,
            aws_secret_access_key=lent.secret_key,
            aws_session_token=lent.session_token,
        )
        for name in ("dynamodb", "sqs")
    )
    table = DynamoPresences(dynamodb, system.output("PresenceTableName"), timedelta(days=1))
    failures = SqsSetAside(sqs, system.output("PresenceFailuresQueueUrl"))
    worker = PresenceRecorder(table, failures, "sightings", utc_now)
    row = a_sighting_row(seen_at=to_iso(utc_now()))
    worker.record_presence([Delivery("1", json.dumps(row).encode()), Delivery("2", b"this is no row")])
    for query in ("", f"?site={row['site']}", f"?device_id={DEVICE}", "?person_id=ada&on_site=true"):
        (told,) = system.api.get(f"/presence{query}")["items"]
        assert (told["person_id"], told["device_id"], told["on_site"]) == ("ada", DEVICE, True)


def compact_the_lake(system: System) -> None:
    """The day of one of its files is written anew."""
    bucket, s3 = system.output("LakeBucketName"), system.client("s3")
    key = next(each for each in system.keys(bucket) if each.startswith("sightings/"))
    s3.copy_object(Bucket=bucket, Key=f"{key}-again", CopySource=f"{bucket}/{key}")
    machines, given = system.client("stepfunctions"), json.dumps({"days": [key.split("/")[1][3:]]})
    started = machines.start_execution(stateMachineArn=system.output("LakeCompactionArn"), input=given)

    def ended() -> Any:
        found = machines.describe_execution(executionArn=started["executionArn"])
        return found["status"] != "RUNNING" and found

    assert until(ended)["status"] == "SUCCEEDED"


def sweep(system: System) -> None:
    """An alert that nobody sent goes out with the next run of the sweeper."""
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    visit = Visit("vi-unsent", moment, moment, alerted_at=moment)
    body = json.dumps(an_alert_record(1, seen_at=moment, person_id="grace").body)
    alert = RaisedAlert(visit.visit_id, Notification("Grace", body, {}), moment, "si-1")
    log = replace(VisitLog(DEVICE, "grace").holding(visit), alert=alert)
    assert visits_of(system).claim(log).is_done

    def sent() -> bool:
        system.clock.advance(timedelta(minutes=1))
        time.sleep(0.5)
        return visits_of(system).read(DEVICE, "grace").pending is None

    until(sent)


def fail_to_start(system: System) -> None:
    """Without its collection a device cannot start; the lifecycle says so and undoes what it made."""
    system.client("rekognition").delete_collection(CollectionId=system.output("CollectionId"))
    system.api.post("/devices", {"device_id": "gate-4", "name": "Gate 4", "site": "north"})
    assert system.device("gate-4", "failed")["state_reason"]


def remove_device(system: System) -> None:
    system.api.post(f"/devices/{DEVICE}/stop")
    system.device(DEVICE, "stopped")
    system.api.delete(f"/devices/{DEVICE}")
    until(lambda: system.gone(DEVICE))


def ask_without_tls(system: System) -> None:
    """A proxy says that the request came to it as plain HTTP."""
    lent = system.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::123456789012:role/{system.physical('ConsumeFaceRecordsRole')}",
        RoleSessionName="plain",
    )["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=system.runtime.aws_url,
        region_name="us-east-1",
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token=lent["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )
    s3.meta.events.register(
        "before-sign.s3", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http")
    )
    for name in ("PhotosBucket", "ParkedRecordsBucket", "EvidenceBucket", "LakeBucket"):
        bucket = system.physical(name)
        for call in (
            partial(s3.list_objects_v2, Bucket=bucket),
            partial(s3.get_object, Bucket=bucket, Key="x"),
        ):
            with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
                call()


# ------------------------------------------------------------------ what is written


@dataclass(frozen=True)
class Written:
    """A statement of the template, with the comment that excuses it."""

    line: int
    excuse: str


Policy = tuple[str, str, Place, dict[str, Any]]  # owner's logical id, name, place, document


def written_statements(source: Source, text: list[str]) -> dict[tuple[str, str, int], Written]:
    """By logical id of the owner, name of the policy and number of the statement."""
    return {
        (owner, policy, number): _written(source, text, (*place, "Statement", number))
        for name, resource in source.document["Resources"].items()
        for owner, policy, place, document in _policies(name, resource["Type"], resource["Properties"])
        for number in range(len(document["Statement"]))
    }


def _policies(name: str, kind: str, properties: dict[str, Any]) -> Iterator[Policy]:
    start: Place = ("Resources", name, "Properties")
    if kind.startswith("AWS::Serverless::"):
        for index, document in enumerate(properties.get("Policies", [])):
            yield f"{name}Role", f"{name}RolePolicy{index}", (*start, "Policies", index), document
    elif kind == "AWS::IAM::Role":
        yield name, "trust", (*start, "AssumeRolePolicyDocument"), properties["AssumeRolePolicyDocument"]
        for index, policy in enumerate(properties["Policies"]):
            place = (*start, "Policies", index, "PolicyDocument")
            yield name, policy["PolicyName"], place, policy["PolicyDocument"]
    elif kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        owners = properties.get("Queues") or properties.get("Topics") or [properties["Bucket"]]
        for owner in owners:
            yield owner["Ref"], "resource policy", (*start, "PolicyDocument"), properties["PolicyDocument"]


def _written(source: Source, text: list[str], place: Place) -> Written:
    lines = [line for each, line in source.lines.items() if each[: len(place)] == place]
    first, last = min(lines), max(lines)
    excuses = [line.partition(COMMENT)[2].strip() for line in text[first - 1 : last] if COMMENT in line]
    return Written(first, "; ".join(excuses))


def shown_by(report: IamReport, system: System) -> Callable[[str, str, int], StatementUse]:
    owners: dict[str, OwnerUse] = {each.arn: each for each in (*report.roles, *report.resources)}

    def use(owner_id: str, policy: str, number: int) -> StatementUse:
        physical = system.physical(owner_id)
        candidates = (f"arn:aws:iam::123456789012:role/{physical}", f"arn:aws:s3:::{physical}", physical)
        owner = next(owners[arn] for arn in candidates if arn in owners)
        return next(each for each in owner.statements if (each.policy, each.index) == (policy, number))

    return use


def test_every_statement_of_the_template_is_used_or_says_why_not(
    system: System, repository: Path, tmp_path: Path
) -> None:
    person = manage_people(system)
    alert = film(system, person, tmp_path)
    sweep(system)  # evidence is collected meanwhile
    ask_who_is_where(system)
    ask_while_they_come(system)
    ask_without_tls(system)
    read_alerts(system, alert)
    park_what_cannot_be_read(system)
    fill_the_lake(system)
    compact_the_lake(system)
    remove_device(system)
    fail_to_start(system)

    file = repository / "template.yaml"
    use = shown_by(system.runtime.iam_report(), system)
    there = system.logical_ids()
    wrong = []
    for (owner, policy, number), written in written_statements(
        read_source(file), file.read_text().splitlines()
    ).items():
        if owner not in there:
            continue
        told = use(owner, policy, number)
        unused = (*told.unused_actions, *told.unused_resources)
        idle = [each for each in unused if each not in written.excuse]
        where = f"template.yaml:{written.line}: {owner} {told.sid or f'statement {number + 1}'}"
        if idle and not (written.excuse and not told.used):
            wrong.append(f"{where}: nothing needs {', '.join(idle)}")
        elif written.excuse and not unused:
            wrong.append(f"{where}: all of it is needed, the comment is wrong: {written.excuse}")

    assert wrong == []
