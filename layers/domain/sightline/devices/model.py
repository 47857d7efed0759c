"""A device: what its owner wants of it, what it does, and how one request follows another."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from sightline.clock import to_iso

# StartExecution follows the write of the request within a moment; until then the execution cannot be found.
START_GRACE: Final = timedelta(seconds=5)


class Action(StrEnum):
    START = "start"
    STOP = "stop"
    DELETE = "delete"


class Desired(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"


class State(StrEnum):
    PROVISIONING = "provisioning"
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DELETING = "deleting"


class Progress(StrEnum):
    """What is known of the lifecycle execution of a device's last request."""

    UNDER_WAY = "under way"
    OVER = "over"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Location:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


Zone = tuple[tuple[float, float], ...]
"""A polygon: at least three points [x, y], as ratios of the frame's width and height."""


@dataclass(frozen=True, slots=True)
class Vote:
    """So many of so many frames have to agree before an alert."""

    k: int
    n: int


DEFAULT_VOTE: Final = Vote(2, 3)


@dataclass(frozen=True, slots=True)
class Device:
    """One registered camera.

    The lifecycle machine writes `state`, `state_reason` and the two ARNs, the consumer of its face records
    `last_face_record_at`; everything else is the API's.
    There is no state "stopping": a device that is being stopped keeps its state, with `desired` =
    stopped, until the machine marks it stopped (or failed). `action` and `generation` say what was
    asked last; each request has a generation of its own, which names its execution. The first one is
    the time of registration in milliseconds, because a device id may be used again after a deletion and
    Step Functions remembers names for 90 days.
    """

    device_id: str
    name: str
    site: str | None
    location: Location | None
    time_zone: str
    engine: str
    similarity_threshold: float
    retention_hours: int
    desired: Desired
    state: State
    state_reason: str | None
    video_stream_arn: str | None
    face_stream_arn: str | None
    created_at: datetime
    updated_at: datetime
    action: Action
    generation: int
    requested_at: datetime
    zones: tuple[Zone, ...] = ()
    vote: Vote = DEFAULT_VOTE
    visit_gap_seconds: int | None = None
    cool_down_seconds: int = 0
    keep_unknown_faces: bool = False
    alert_unknown_faces: bool = False
    people_limit: int | None = None
    last_face_record_at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """The machine has done what was asked last."""
        return (self.action, self.state) in {(Action.START, State.RUNNING), (Action.STOP, State.STOPPED)}

    def was_asked_just_now(self, now: datetime) -> bool:
        """So lately that the execution of the request may not have been begun yet."""
        return now - self.requested_at < START_GRACE

    def asked_to(self, action: Action, now: datetime) -> Self:
        """This device with one more request to its lifecycle."""
        return replace(
            self,
            action=action,
            generation=self.generation + 1,
            requested_at=now,
            updated_at=now,
            desired=Desired.RUNNING if action is Action.START else Desired.STOPPED,
            state=self._state_while(action),
            state_reason=self.state_reason if action is Action.STOP else None,
        )

    def _state_while(self, action: Action) -> State:
        if action is Action.DELETE:
            return State.DELETING
        if action is Action.STOP:
            return self.state
        return State.PROVISIONING if self.video_stream_arn is None else State.STARTING

    def to_json(self) -> dict[str, Any]:
        """The device as the API shows it; what only the lifecycle needs stays inside."""
        location = self.location and {
            "latitude": self.location.latitude,
            "longitude": self.location.longitude,
        }
        return {
            "device_id": self.device_id,
            "name": self.name,
            "site": self.site,
            "location": location,
            "time_zone": self.time_zone,
            "engine": self.engine,
            "similarity_threshold": self.similarity_threshold,
            "retention_hours": self.retention_hours,
            "zones": [[list(point) for point in zone] for zone in self.zones],
            "vote": {"k": self.vote.k, "n": self.vote.n},
            "visit_gap_seconds": self.visit_gap_seconds,
            "cool_down_seconds": self.cool_down_seconds,
            "keep_unknown_faces": self.keep_unknown_faces,
            "alert_unknown_faces": self.alert_unknown_faces,
            "people_limit": self.people_limit,
            "desired": self.desired,
            "state": self.state,
            "state_reason": self.state_reason,
            "video_stream_arn": self.video_stream_arn,
            "face_stream_arn": self.face_stream_arn,
            "last_face_record_at": self.last_face_record_at and to_iso(self.last_face_record_at),
            "created_at": to_iso(self.created_at),
            "updated_at": to_iso(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class CameraCredentials:
    """Temporary credentials that reach one video stream, and nothing else."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime
    video_stream_arn: str
    region: str

    def __repr__(self) -> str:
        return f"CameraCredentials({self.video_stream_arn})"  # a secret never reaches a log by accident

    def to_json(self) -> dict[str, str]:
        return {
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "session_token": self.session_token,
            "expiration": to_iso(self.expiration),
            "video_stream_arn": self.video_stream_arn,
            "region": self.region,
        }
