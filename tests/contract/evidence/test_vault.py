"""What the collector's vault promises, the fake of the unit tests and S3 alike; and the links to it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto import mock_aws

from sightline.evidence.model import CLIP, FRAME, EvidenceRequest, Manifest, StoredFile
from sightline.evidence.s3 import EvidenceLinks, S3Vault, presigning_client
from sightline.evidence.service import Vault
from tests.fakes.evidence import FakeVault, an_alert

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
REQUEST = EvidenceRequest.from_alert(json.dumps(an_alert()))
ALERT_ID = REQUEST.alert_id


def a_manifest(*files: StoredFile, **missing: str) -> Manifest:
    return Manifest(REQUEST, NOW, files, missing, NOW, None)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="evidence")
        yield client


@pytest.fixture(params=["fake", "s3"])
def vault(request: pytest.FixtureRequest) -> Vault:
    return FakeVault() if request.param == "fake" else S3Vault(request.getfixturevalue("s3"), "evidence")


def test_a_file_is_written_once_and_the_second_writer_learns_of_the_first(vault: Vault) -> None:
    first = vault.keep(ALERT_ID, FRAME, b"first")

    assert first == StoredFile.of(FRAME, b"first")
    assert vault.keep(ALERT_ID, FRAME, b"second") == first


def test_it_is_closed_by_the_manifest_and_by_nothing_else(vault: Vault) -> None:
    vault.keep(ALERT_ID, FRAME, b"frame")
    assert not vault.is_closed(ALERT_ID)

    vault.close(a_manifest())

    assert vault.is_closed(ALERT_ID)
    assert not vault.is_closed("al-other")


def test_a_second_manifest_does_not_replace_the_first(s3: Any) -> None:
    vault = S3Vault(s3, "evidence")
    vault.close(a_manifest(StoredFile.of(FRAME, b"frame")))

    vault.close(a_manifest())

    stored = s3.get_object(Bucket="evidence", Key=f"alerts/{ALERT_ID}/manifest.json")
    assert stored["ContentType"] == "application/json"
    assert [each["name"] for each in json.loads(stored["Body"].read())["files"]] == [FRAME]


def test_links_wait_for_the_manifest(s3: Any) -> None:
    S3Vault(s3, "evidence").keep(ALERT_ID, FRAME, b"frame")

    assert EvidenceLinks(presigning_client(), "evidence").links(ALERT_ID) == {"status": "pending"}


def test_links_lead_to_the_files_that_exist_and_expire(s3: Any) -> None:
    vault = S3Vault(s3, "evidence")
    vault.close(a_manifest(vault.keep(ALERT_ID, FRAME, b"frame"), **{CLIP: "the video stream is gone"}))

    links = EvidenceLinks(presigning_client(), "evidence", lambda: NOW).links(ALERT_ID)

    assert links["status"] == "partial"
    assert links["expires_at"] == "2026-11-22T13:15:00.000Z"
    assert links["missing"] == {CLIP: "the video stream is gone"}
    assert {name for name in links if name.endswith("_url")} == {"frame_url", "manifest_url"}
    link = urlsplit(links["frame_url"])
    assert link.path.endswith(f"/alerts/{ALERT_ID}/frame.jpg")
    assert parse_qs(link.query)["X-Amz-Expires"] == ["900"]
    assert parse_qs(link.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"], (
        "version 2 is refused by new buckets"
    )
