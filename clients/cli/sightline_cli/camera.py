"""`sightline camera`: a file as the camera of a registered device."""

import json
import queue
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from sightline_cli.camera_progress import CameraProgress, PersistedFragment
from sightline_cli.camera_session import device_session
from sightline_cli.device import settled_device, stream_of
from sightline_cli.interrupts import Interrupt, interruptible
from sightline_cli.stack import Stack
from sightline_cli.streaming import Streaming, streaming
from sightline_cli.tokens import api_of
from sightline_cli.video_file import check_video

POLL_SECONDS = 0.1


def run_camera(stack: Stack, *, device_id: str, file: Path, loop: bool, as_json: bool) -> None:
    """Stream the file; its end, or Ctrl-C, ends the camera."""
    check_video(file)
    api = api_of(stack)
    progress = CameraProgress()
    with interruptible() as interrupt, streaming() as camera:
        device = settled_device(api, device_id, interrupt)
        camera.start(
            file,
            stream_arn=stream_of(device, "video"),
            session=device_session(api, device_id, stack.target.region),
            endpoint_url=stack.target.endpoint_url,
            loop=loop,
        )
        try:
            (_follow_as_json if as_json else _follow)(camera, progress, interrupt)
        finally:
            camera.finish()
            _sum_up(progress, as_json=as_json)
        if camera.error is not None:
            raise camera.error


def _follow(camera: Streaming, progress: CameraProgress, interrupt: Interrupt) -> None:
    console = Console(highlight=False, stderr=True)
    with console.status("connecting") as status:

        def show(_: PersistedFragment | None) -> None:
            status.update(progress.reconnecting or _line(progress))

        _each(camera, progress, interrupt, show)


def _follow_as_json(camera: Streaming, progress: CameraProgress, interrupt: Interrupt) -> None:
    def show(fragment: PersistedFragment | None) -> None:
        if fragment is not None:
            print(json.dumps({"event": "fragment", **fragment.fields()}), flush=True)

    _each(camera, progress, interrupt, show)


def _each(
    camera: Streaming,
    progress: CameraProgress,
    interrupt: Interrupt,
    show: Callable[[PersistedFragment | None], None],
) -> None:
    while not (camera.ended and camera.events.empty()):
        interrupt.check()
        try:
            event = camera.events.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        show(progress.take(event))


def _sum_up(progress: CameraProgress, *, as_json: bool) -> None:
    if as_json:
        counts = {"fragments": progress.sent, "persisted": progress.persisted}
        print(json.dumps({"event": "summary", **counts, "video_seconds": progress.video_seconds}), flush=True)
    else:
        print(_line(progress))


def _line(progress: CameraProgress) -> str:
    sent, seconds = progress.sent, progress.video_seconds
    fragments = "1 fragment" if sent == 1 else f"{sent} fragments"
    return f"{fragments} sent, {progress.persisted} persisted, {seconds:.1f} s of video"
