"""An alert on the topic becomes evidence in the bucket: the real template, its roles and its retries."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.app import main
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions
from sightline_media import remux
from tests.fakes.evidence import an_alert
from tests.fakes.producer import Producer

STREAM = "sightline-gate-3"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def runtime(repository: Path, media: Path, clock: Clock) -> Iterator[Runtime]:
    assert media.is_dir()
    options = RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime, client_of: Callable[[Runtime], Any]) -> Any:
    return client_of(runtime)


def until(condition: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def keys(client: Any, bucket: str) -> set[str]:
    return {each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])}


@pytest.mark.media
def test_a_published_alert_has_its_evidence_a_quarter_of_a_minute_later(
    runtime: Runtime, client: Any, media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = client("kinesisvideo")
    arn = video.create_stream(StreamName=STREAM, DataRetentionInHours=1)["StreamARN"]
    until(lambda: video.describe_stream(StreamName=STREAM)["StreamInfo"]["Status"] == "ACTIVE", 5)
    url = video.get_data_endpoint(StreamName=STREAM, APIName="PUT_MEDIA")["DataEndpoint"]
    film = list(remux(media / "derived" / "demo_astronaut_hopper.mkv"))
    with Producer(url, STREAM) as producer:
        producer.send(film[0].header + b"".join(each.cluster for each in film))
        number = producer.wait_for("PERSISTED", len(film))[0].number
        producer.end()
    alert = an_alert()
    alert["evidence"] |= {"video_stream_arn": arn, "fragment_number": number}
    message = json.dumps({"default": json.dumps(alert), "email": "for people"})
    began = time.monotonic()

    client("sns").publish(
        TopicArn=runtime.outputs["AlertsTopicArn"], Message=message, MessageStructure="json"
    )

    assert time.monotonic() - began < 2, "an alert does not wait for its evidence"
    bucket = runtime.outputs["EvidenceBucketName"]
    until(lambda: f"alerts/{alert['alert_id']}/manifest.json" in keys(client, bucket), 40)
    arguments = ["evidence", "fetch", alert["alert_id"], "--to", str(tmp_path)]
    assert main([*arguments, "--endpoint-url", runtime.aws_url]) == 0
    assert "5 files, all as collected (complete)" in capsys.readouterr().out


@pytest.mark.media
def test_a_message_that_is_no_alert_is_parked_with_its_payload(
    runtime: Runtime, client: Any, clock: Clock
) -> None:
    client("sns").publish(TopicArn=runtime.outputs["AlertsTopicArn"], Message="no alert")
    bucket = runtime.outputs["ParkedRecordsBucketName"]

    def parked() -> set[str]:
        clock.advance(timedelta(seconds=61))  # over the minutes that Lambda lets pass between its attempts
        return keys(client, bucket)

    (key,) = until(parked, 20)
    record = json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "no alert"
    assert record["responsePayload"]["errorType"] == "UnreadableAlertError"
