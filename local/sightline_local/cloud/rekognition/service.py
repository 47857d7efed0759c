"""The operations of Rekognition that the local runtime has."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Any

from sightline_faces import FaceEngineError, PoolClosedError
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.rekognition.collection_operations import CollectionOperations
from sightline_local.cloud.rekognition.face_stream import FaceStream
from sightline_local.cloud.rekognition.face_workers import FaceWorkers
from sightline_local.cloud.rekognition.image_operations import ImageOperations
from sightline_local.cloud.rekognition.kept_processors import KeptProcessors
from sightline_local.cloud.rekognition.position import Position, advanced
from sightline_local.cloud.rekognition.processor_run import ProcessorRun, Watching
from sightline_local.cloud.rekognition.processors import Processors, Report
from sightline_local.cloud.rekognition.role_session import RoleSession
from sightline_local.cloud.rekognition.s3_images import fetch
from sightline_local.cloud.rekognition.video_source import VideoSource
from sightline_local.cloud.service import unknown_operation
from sightline_local.iam import Caller, Sessions
from sightline_local.state import Facts

_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RekognitionService:
    """`faces_factory` makes the pool of workers when the first picture comes, or when `warm` is called."""

    def __init__(
        self,
        region: str,
        account: str,
        sessions: Sessions,
        clients: Clients,
        faces_factory: Callable[[], FaceWorkers],
        *,
        clock: Callable[[], datetime] = _utc_now,
        facts: Facts | None = None,
    ) -> None:
        facts = facts or Facts.none()
        self._sessions = sessions
        self._clients = clients
        self._faces_factory = faces_factory
        self._pool: FaceWorkers | None = None
        self._closed = False
        self._pool_lock = Lock()
        arn_prefix = f"arn:aws:rekognition:{region}:{account}:"
        self._collections = CollectionOperations(f"{arn_prefix}collection/", clock, facts)
        self._images = ImageOperations(self._faces)
        kept = KeptProcessors(facts)
        self._positions = kept.positions
        self._processors = Processors(f"{arn_prefix}streamprocessor/", self._new_run, clock, kept)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateCollection": self._collections.create,
            "DescribeCollection": self._collections.describe,
            "ListCollections": self._collections.list,
            "DeleteCollection": self._collections.delete,
            "ListFaces": self._collections.list_faces,
            "DeleteFaces": self._collections.delete_faces,
            "IndexFaces": lambda params: self._images.index_faces(self._collections.get(params), params),
            "SearchFacesByImage": lambda params: self._images.search_faces_by_image(
                self._collections.get(params), params
            ),
            "DetectFaces": self._images.detect_faces,
            "CreateStreamProcessor": self._processors.create,
            "StartStreamProcessor": self._processors.start,
            "DescribeStreamProcessor": self._processors.describe,
            "StopStreamProcessor": self._processors.stop,
            "DeleteStreamProcessor": self._processors.delete,
            "ListStreamProcessors": self._processors.list,
        }

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        perform = self._operations.get(operation)
        if perform is None:
            raise unknown_operation("rekognition", operation)
        check_input("rekognition", operation, params, error="ValidationException")
        if "S3Object" in params.get("Image", {}):
            params = {**params, "Image": {"Bytes": self._fetch(params["Image"]["S3Object"], caller)}}
        return perform(params)

    def _fetch(self, s3_object: dict[str, Any], caller: Caller) -> bytes:
        """Rekognition reads an object with the rights of whoever asks."""
        return fetch(self._clients.client("s3", self._sessions.credentials_of(caller.access_key)), s3_object)

    def restore(self) -> list[str]:
        self._processors.restore()
        return self._collections.restore()

    def begin(self) -> None:
        self._processors.begin()

    def warm(self) -> None:
        """Load the networks in the background, so that the first face does not wait for it."""
        Thread(target=self._warm, name="warm-faces", daemon=True).start()

    def close(self) -> None:
        """End processors and workers; to call again does nothing."""
        self._processors.close()
        with self._pool_lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _warm(self) -> None:
        try:
            self._faces().warm()
        except PoolClosedError:
            return  # stopped before it was warm
        except FaceEngineError as error:
            _log.error("the face engine does not start: %s", error)

    def _faces(self) -> FaceWorkers:
        with self._pool_lock:
            if self._closed:
                raise PoolClosedError("the local runtime is stopping")
            if self._pool is None:
                self._pool = self._faces_factory()
            return self._pool

    def _new_run(
        self, processor_arn: str, definition: dict[str, Any], report: Report, position: Position | None
    ) -> ProcessorRun:
        stopping = Event()
        role = RoleSession(self._sessions, self._clients, definition["RoleArn"], processor_arn)
        name, search = definition["Name"], definition["Settings"]["FaceSearch"]
        video_stream_arn = definition["Input"]["KinesisVideoStream"]["Arn"]
        face_stream_arn = definition["Output"]["KinesisDataStream"]["Arn"]
        if position:
            position = advanced(position, self._clients.client("kinesis"), face_stream_arn, video_stream_arn)
        return ProcessorRun(
            Watching(
                name,
                video_stream_arn,
                search["FaceMatchThreshold"],
                lambda: self._collections.find(search["CollectionId"]),
                position,
            ),
            source=VideoSource(role, video_stream_arn, stopping, position),
            face_stream=FaceStream(role, face_stream_arn, partition_key=name, stopping=stopping),
            pool=self._faces,
            report=report,
            stopping=stopping,
            reached=lambda place: self._positions.keep(name, place),
        )
