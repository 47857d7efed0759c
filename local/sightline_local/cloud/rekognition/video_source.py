"""The video stream as a processor reads it: live fragments over GetMedia, for as long as it takes."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from sightline_local.cloud.rekognition.position import Position
from sightline_local.cloud.rekognition.role_session import ProcessorFailedError, RoleSession, is_denial
from sightline_media import Fragment, FragmentReader, InvalidMatroskaError

_log = logging.getLogger(__name__)

READ_BYTES = 262_144
RECONNECT_SECONDS = 0.5


class VideoSource:
    """A camera may be silent for hours: the connection then ends now and then, the source goes on.

    `position`: begin with its fragment, or with what came since its moment; without one, with what is new.
    """

    def __init__(
        self, role: RoleSession, stream_arn: str, stopping: Event, position: Position | None = None
    ) -> None:
        self._role = role
        self._stream_arn = stream_arn
        self._stopping = stopping
        self._opened_at = position.moment if position else None
        self._last_number = _just_before(position)
        self._body: Any = None

    @property
    def opened_at(self) -> datetime | None:
        """When the video was asked for; None before `open`."""
        return self._opened_at

    def open(self) -> None:
        """Connect, patiently; ProcessorFailedError when the role may not, or when there is no such stream."""
        while not self._stopping.is_set():
            try:
                self._body = self._get_media()
            except ClientError as error:
                self._fail_or_go_on(error)
            except BotoCoreError as error:
                _log.warning("%s: GetMedia failed, trying again: %s", self._stream_arn, error)
            else:
                return
            self._stopping.wait(RECONNECT_SECONDS)

    def fragments(self) -> Iterator[Fragment]:
        """Every fragment after `open`, in order, without a gap when the connection has to be made again."""
        while not self._stopping.is_set():
            for fragment in self._until_the_connection_ends():
                self._last_number = fragment.number or self._last_number
                yield fragment
            self._stopping.wait(RECONNECT_SECONDS)
            self.open()

    def interrupt(self) -> None:
        """Wake the thread that waits for video."""
        body = self._body
        if body is not None:
            try:
                body.shutdown()
            except (ValueError, RuntimeError, OSError):
                return  # the connection had just ended by itself

    def _get_media(self) -> Any:
        video = self._role.client("kinesisvideo")
        endpoint = video.get_data_endpoint(StreamARN=self._stream_arn, APIName="GET_MEDIA")["DataEndpoint"]
        media = self._role.client("kinesis-video-media", endpoint)
        selector = self._start_selector()
        answer = media.get_media(StreamARN=self._stream_arn, StartSelector=selector)
        # botocore's StreamingBody.read(n) waits for n bytes; urllib3's read1 beneath gives what there is.
        return answer["Payload"]._raw_stream  # noqa: SLF001

    def _start_selector(self) -> dict[str, Any]:
        if self._last_number:
            return {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": self._last_number}
        if self._opened_at:
            return {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": self._opened_at}
        self._opened_at = datetime.now(UTC)
        return {"StartSelectorType": "NOW"}

    def _until_the_connection_ends(self) -> Iterator[Fragment]:
        reader = FragmentReader()
        try:
            while not self._stopping.is_set() and (piece := self._body.read1(READ_BYTES)):
                yield from reader.feed(piece)
            yield from reader.finish()
        except (HTTPError, OSError) as error:
            _log.info("%s: GetMedia broke off, connecting again: %s", self._stream_arn, error)
        except InvalidMatroskaError as error:
            _log.warning("%s: GetMedia sent no Matroska, connecting again: %s", self._stream_arn, error)
        finally:
            self._body.close()

    def _fail_or_go_on(self, error: ClientError) -> None:
        code = error.response["Error"]["Code"]
        if is_denial(code):
            raise ProcessorFailedError("Access denied to Kinesis Video") from error
        if code in {"ResourceNotFoundException", "InvalidArgumentException"}:
            name = self._stream_arn.split("/")[1]
            raise ProcessorFailedError(f"Stream {name} doesn't exist") from error
        _log.warning("%s: GetMedia failed, trying again: %s", self._stream_arn, error)


def _just_before(position: Position | None) -> str | None:
    number = position and position.fragment_number
    return str(int(number) - 1) if number else None
