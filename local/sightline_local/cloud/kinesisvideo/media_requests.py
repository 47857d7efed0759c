"""One request of the media plane: read it, check it, answer it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from threading import Event
from time import monotonic
from typing import Any
from uuid import uuid4

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.kinesisvideo.archived_media import chosen_media, list_fragments
from sightline_local.cloud.kinesisvideo.connections import ConnectionSlots
from sightline_local.cloud.kinesisvideo.get_media import live_media, start_after
from sightline_local.cloud.kinesisvideo.http_body import ChunkedAnswer, RequestBody, hang_up, has_gone
from sightline_local.cloud.kinesisvideo.media_access import MediaAccess
from sightline_local.cloud.kinesisvideo.put_media import PutMediaSession, read_timing
from sightline_local.cloud.kinesisvideo.service import find_stream
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_media import Ack, ErrorId, encode_ack

MAX_JSON_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class MediaPlane:
    """What the requests of one server share."""

    store: FragmentStore
    access: MediaAccess
    connection_seconds: float
    idle_seconds: float
    slots: ConnectionSlots = field(default_factory=ConnectionSlots)
    stopping: Event = field(default_factory=Event)


class MediaRequestHandler(BaseHTTPRequestHandler):
    """Unbuffered towards the client: PutMedia reads its body and answers at the same time."""

    protocol_version = "HTTP/1.1"
    server_version = "KinesisVideo"
    disable_nagle_algorithm = True
    rbufsize = 0
    plane: MediaPlane  # set by the server on its own subclass

    def do_POST(self) -> None:
        serve = {
            "/putMedia": self._put_media,
            "/getMedia": self._get_media,
            "/listFragments": self._list_fragments,
            "/getMediaForFragmentList": self._get_media_for_fragment_list,
        }.get(self.path, self._refuse_unknown)
        try:
            serve()
        except ServiceError as error:
            self._refuse(error)
        except OSError:  # the client hung up, or the server stops: nobody is left to be told
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
        """Say nothing: cameras reconnect, and every error is in the answer."""

    def _refuse_unknown(self) -> None:
        raise unknown_operation("kinesisvideo", self.path)

    # ------------------------------------------------------------------ PutMedia

    def _put_media(self) -> None:
        name, arn = self.headers.get("x-amzn-stream-name"), self.headers.get("x-amzn-stream-arn")
        self.plane.access.check(self.headers, "PutMedia", name, arn)
        if name and arn:
            raise ServiceError(
                "InvalidArgumentException", "Either a stream name or an ARN must be given, not both."
            )
        timing = read_timing(self.headers)
        stream = find_stream(self.plane.store, {"StreamName": name, "StreamARN": arn})
        body = RequestBody(self.connection, self._content_length())
        with self.plane.slots.slot("PutMedia", stream.arn):
            answer = self._begin_stream("application/json")
            for ack in self._acks(PutMediaSession(self.plane.store, stream, timing), body, stream):
                answer.send(encode_ack(ack))
        answer.end()  # with the slot free again: the client may come back as soon as it reads this
        hang_up(self.connection)

    def _acks(self, session: PutMediaSession, body: RequestBody, stream: VideoStream) -> Iterator[Ack]:
        began, heard_at = monotonic(), monotonic()
        while not session.has_failed:
            fault = self._fault(stream, began)
            if fault:
                yield session.fail(fault)
                return
            piece = body.read(self.plane.idle_seconds / 6)
            if piece is None:
                yield session.idle()
                if monotonic() - heard_at >= self.plane.idle_seconds:
                    return
                continue
            heard_at = monotonic()
            yield from session.feed(piece) if piece else session.finish()
            if not piece:
                return

    def _fault(self, stream: VideoStream, began: float) -> ErrorId | None:
        current = self.plane.store.with_arn(stream.arn)
        if current is None or current.status(self.plane.store.now()) != "ACTIVE":
            return ErrorId.STREAM_NOT_ACTIVE
        if monotonic() - began > self.plane.connection_seconds:
            return ErrorId.MAX_CONNECTION_DURATION_REACHED
        return None

    # ------------------------------------------------------------------ reading

    def _get_media(self) -> None:
        params, stream = self._read_request("GetMedia", "kinesis-video-media")
        after = start_after(self.plane.store, stream, params["StartSelector"])
        with self.plane.slots.slot("GetMedia", stream.arn):
            self._stream(live_media(self.plane.store, stream, after, is_over=self._is_over))

    def _get_media_for_fragment_list(self) -> None:
        params, stream = self._read_request("GetMediaForFragmentList", "kinesis-video-archived-media")
        with self.plane.slots.slot("GetMediaForFragmentList", stream.arn):
            self._stream(chosen_media(self.plane.store, stream, params["Fragments"]))

    def _list_fragments(self) -> None:
        params, stream = self._read_request("ListFragments", "kinesis-video-archived-media")
        self._answer_json(200, list_fragments(self.plane.store, stream, params))

    def _read_request(self, operation: str, service: str) -> tuple[dict[str, Any], VideoStream]:
        params = self._read_json()
        self.plane.access.check(self.headers, operation, params.get("StreamName"), params.get("StreamARN"))
        check_input(service, operation, params, error="InvalidArgumentException")
        return params, find_stream(self.plane.store, params)

    def _read_json(self) -> dict[str, Any]:
        length = self._content_length() or 0
        if length > MAX_JSON_BYTES:
            raise ServiceError(
                "InvalidArgumentException", f"The request is longer than {MAX_JSON_BYTES} bytes."
            )
        raw = b""
        while len(raw) < length and (piece := self.rfile.read(length - len(raw))):
            raw += piece
        try:
            params = json.loads(raw or b"{}", object_hook=_with_times)
        except ValueError as error:
            raise ServiceError("SerializationException", "The request is not JSON.") from error
        if not isinstance(params, dict):
            raise ServiceError("SerializationException", "The request is not a JSON object.")
        return params

    def _content_length(self) -> int | None:
        text = self.headers.get("Content-Length")
        return int(text) if text and text.isdecimal() else None

    def _is_over(self) -> bool:
        return self.plane.stopping.is_set() or has_gone(self.connection)

    # ------------------------------------------------------------------ answering

    def _stream(self, pieces: Iterable[bytes]) -> None:
        answer = self._begin_stream("video/webm")
        answer.send_all(pieces)
        answer.end()

    def _begin_stream(self, content_type: str) -> ChunkedAnswer:
        self._send_head(200, content_type, {"Transfer-Encoding": "chunked", "Connection": "close"})
        return ChunkedAnswer(self.connection)

    def _answer_json(
        self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        body = json.dumps(content).encode()
        self._send_head(status, "application/json", {"Content-Length": str(len(body))} | (headers or {}))
        self.wfile.write(body)

    def _refuse(self, error: ServiceError) -> None:
        # What is left of the request was not read, so the connection cannot carry another one.
        headers = {"x-amzn-ErrorType": error.code, "Connection": "close"}
        self._answer_json(error.status, {"Message": error.message}, headers)
        hang_up(self.connection)

    def _send_head(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (
            {"Content-Type": content_type, "x-amzn-RequestId": str(uuid4())} | headers
        ).items():
            self.send_header(name, value)
        self.end_headers()


def _with_times(members: dict[str, Any]) -> dict[str, Any]:
    for name, value in members.items():
        if name in ("StartTimestamp", "EndTimestamp") and isinstance(value, int | float):
            members[name] = datetime.fromtimestamp(value, UTC)
    return members
