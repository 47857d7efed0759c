"""What a user of the runtime may choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sightline_local.clock import Clock


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What to run and where; port 0 takes any free one."""

    template: Path
    stack_name: str = "sightline"
    region: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    api_port: int = 8080
    aws_port: int = 4566
    face_workers: int | None = None  # None: one per core
    warm_faces: bool = False  # load the face engine at the start instead of with the first picture
    log_dir: Path | None = None  # None: a temporary folder that goes with the runtime
    data_dir: Path | None = None  # where state is kept; None: it ends with the runtime
    clock: Clock = field(default_factory=Clock)  # what schedules and retries go by; tests move it
