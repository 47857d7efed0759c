"""The video part of the local cloud, served for real: gateway, media server, Rekognition."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sightline_faces import Face, FaceEngine
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.gateway import Gateway, serve
from sightline_local.cloud.kinesis import DataStreams, KinesisService
from sightline_local.cloud.kinesisvideo import FragmentStore, KinesisVideoService, MediaServer
from sightline_local.cloud.moto_server import forget_everything, make_moto_app
from sightline_local.cloud.rekognition import RekognitionService
from sightline_local.iam import Authorizer, Credentials, Sessions
from sightline_local.state import Facts

REGION, ACCOUNT = "us-east-1", "123456789012"


class OneWorker:
    """A face pool in this process: the same engine, without the cost of starting workers for each test."""

    def __init__(self, engine: Callable[[], FaceEngine]) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1)

    def submit(self, rgb: Any, *, photo: bool = False) -> Future[list[Face]]:
        return self._thread.submit(lambda: self._engine().analyse(rgb, photo=photo))

    def warm(self) -> None:
        self._thread.submit(self._engine).result()

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


@dataclass
class Cloud:
    gateway: Gateway
    url: str
    store: FragmentStore
    media_server: MediaServer
    sessions: Sessions
    authorizer: Authorizer
    rekognition: RekognitionService

    def client(
        self,
        service: str,
        credentials: Credentials | None = None,
        url: str | None = None,
        retries: int | None = None,
    ) -> Any:
        keys = (
            credentials.for_boto3()
            if credentials
            else {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        )
        config = None if retries is None else Config(retries={"max_attempts": retries})
        return boto3.client(service, region_name=REGION, endpoint_url=url or self.url, config=config, **keys)

    def media(self, credentials: Credentials | None = None) -> Any:
        return self.client("kinesis-video-media", credentials, self.media_server.url)

    def archive(self, credentials: Credentials | None = None) -> Any:
        return self.client("kinesis-video-archived-media", credentials, self.media_server.url)

    def video_stream(self, name: str, retention_hours: int = 24) -> str:
        """ARN of a new video stream that is ACTIVE."""
        video = self.client("kinesisvideo")
        arn: str = video.create_stream(StreamName=name, DataRetentionInHours=retention_hours)["StreamARN"]
        until(lambda: video.describe_stream(StreamName=name)["StreamInfo"]["Status"] == "ACTIVE")
        return arn

    @staticmethod
    def wait(condition: Callable[[], Any]) -> None:
        until(condition)

    def role(
        self, name: str, statements: list[dict[str, Any]], service: str = "rekognition.amazonaws.com"
    ) -> str:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_document(statements))
        return arn


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Poll, with a deadline."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def engine() -> Callable[[], FaceEngine]:
    loaded: list[FaceEngine] = []

    def get() -> FaceEngine:
        if not loaded:
            loaded.append(FaceEngine.load())
        return loaded[0]

    return get


@pytest.fixture
def cloud(engine: Callable[[], FaceEngine]) -> Iterator[Cloud]:
    sessions, authorizer = Sessions(ACCOUNT, REGION), Authorizer(ACCOUNT, REGION)
    gateway = Gateway(make_moto_app(), sessions, authorizer)
    server = serve(gateway)
    store = FragmentStore()
    video = KinesisVideoService(REGION, ACCOUNT, lambda: media_server.url, store)
    media_server = MediaServer(store, video, sessions, authorizer)
    media_server.begin()
    clients = Clients(server.url, REGION)
    rekognition = RekognitionService(REGION, ACCOUNT, sessions, clients, lambda: OneWorker(engine))
    kinesis = KinesisService(DataStreams(REGION, ACCOUNT, Facts.none()))
    gateway.services |= {"kinesisvideo": video, "rekognition": rekognition, "kinesis": kinesis}
    yield Cloud(gateway, server.url, store, media_server, sessions, authorizer, rekognition)
    rekognition.close()
    media_server.close()
    store.close()
    server.close()
    forget_everything()
