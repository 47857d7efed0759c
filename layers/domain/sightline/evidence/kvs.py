"""The archive of Kinesis Video Streams. https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_Reference.html"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sightline.aws import error_code
from sightline.evidence.model import ListedFragment, NoVideoError, RecordedFragment, Span
from sightline.outages import any_failure_means_later
from sightline_media import Fragment, FragmentReader, MediaError

NAME = "the video archive"
# Whoever asks again gets the same answer.
_NO_CLIP = frozenset(
    {
        "InvalidCodecPrivateDataException",
        "InvalidMediaFrameException",
        "MissingCodecPrivateDataException",
        "NoDataRetentionException",
        "UnsupportedStreamMediaTypeException",
    }
)


def archive_client(endpoint_url: str) -> Any:
    """A clip takes its time: Kinesis Video makes it when it is asked for it."""
    retries: Any = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=2, read_timeout=30, retries=retries, tcp_keepalive=True)
    return boto3.client("kinesis-video-archived-media", endpoint_url=endpoint_url, config=config)


@dataclass(frozen=True, slots=True)
class KinesisVideoArchive:
    """`control` is a boto3 kinesisvideo client, `connect` makes one of the archive for an endpoint."""

    control: Any
    connect: Callable[[str], Any] = archive_client
    _clients: dict[str, Any] = field(default_factory=dict)

    def fragment(self, stream_arn: str, number: str) -> RecordedFragment | None:
        with self._refusals():
            archive = self._archive(stream_arn, "GET_MEDIA_FOR_FRAGMENT_LIST")
            try:
                answer = archive.get_media_for_fragment_list(StreamARN=stream_arn, Fragments=[number])
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                return None
            return _recorded(answer["Payload"].read())

    def listed(self, stream_arn: str, begin: datetime, end: datetime) -> list[ListedFragment]:
        between = {"StartTimestamp": _second(begin), "EndTimestamp": _second(end) + timedelta(seconds=1)}
        selector = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": between}
        with self._refusals():
            archive = self._archive(stream_arn, "LIST_FRAGMENTS")
            pages = archive.get_paginator("list_fragments").paginate(
                StreamARN=stream_arn, FragmentSelector=selector, PaginationConfig={"PageSize": 1000}
            )
            return [_listed(each) for page in pages for each in page["Fragments"]]

    def clip(self, stream_arn: str, span: Span) -> bytes:
        between = {"StartTimestamp": span.asked_from, "EndTimestamp": span.asked_to}
        with self._refusals():
            archive = self._archive(stream_arn, "GET_CLIP")
            answer = archive.get_clip(
                StreamARN=stream_arn,
                ClipFragmentSelector={
                    "FragmentSelectorType": "PRODUCER_TIMESTAMP",
                    "TimestampRange": between,
                },
            )
            movie: bytes = answer["Payload"].read()
            return movie

    def _archive(self, stream_arn: str, api: str) -> Any:
        endpoint = self.control.get_data_endpoint(StreamARN=stream_arn, APIName=api)["DataEndpoint"]
        if endpoint not in self._clients:
            self._clients[endpoint] = self.connect(endpoint)
        return self._clients[endpoint]

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        with any_failure_means_later(NAME):
            try:
                yield
            except ClientError as error:
                code = error_code(error)
                if code == "ResourceNotFoundException":
                    raise NoVideoError("the video stream is gone, or has no video of that time") from error
                if code in _NO_CLIP:
                    raise NoVideoError(f"Kinesis Video makes no clip: {code}") from error
                raise


def _recorded(media: bytes) -> RecordedFragment | None:
    """A fragment that is not there is an answer without one: its tags say so after the status 200."""
    fragment = _first(media)
    if fragment is None or fragment.producer_timestamp is None or fragment.server_timestamp is None:
        return None
    return RecordedFragment(_moment(fragment.producer_timestamp), _moment(fragment.server_timestamp), media)


def _first(media: bytes) -> Fragment | None:
    reader = FragmentReader()
    try:
        return next(iter([*reader.feed(media), *reader.finish()]), None)
    except MediaError:
        return None


def _listed(fragment: dict[str, Any]) -> ListedFragment:
    return ListedFragment(
        start=fragment["ProducerTimestamp"].astimezone(UTC),
        duration=timedelta(milliseconds=fragment["FragmentLengthInMilliseconds"]),
        size_bytes=fragment["FragmentSizeInBytes"],
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
