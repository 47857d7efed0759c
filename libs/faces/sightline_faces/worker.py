"""One worker process of a FacePool, started as `python -m sightline_faces.worker --parent PID`."""

import argparse
import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from sightline_faces.engine import DEFAULT_MIN_FACE_PX, FaceEngine
from sightline_faces.errors import FaceEngineError
from sightline_faces.protocol import picture_of, receive, send, send_error, send_faces

PR_SET_PDEATHSIG = 1


def serve(requests: IO[bytes], answers: IO[bytes], engine: FaceEngine) -> None:
    """Answer pictures with faces until the pool closes its end."""
    send(answers, {"ready": True})
    while (message := receive(requests)) is not None:
        header, _ = message
        rgb = picture_of(message)
        faces = engine.analyse(rgb, largest_only=header["largest_only"], photo=header["photo"])
        send_faces(answers, faces)


def die_with_parent(parent: int) -> None:
    """Let the kernel end this process when the pool's ends; other systems than Linux only close the pipe."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the kernel knew.
    if os.getppid() != parent:
        sys.exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sightline_faces.worker")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--min-face-px", type=int, default=DEFAULT_MIN_FACE_PX)
    parser.add_argument("--cache-dir", type=Path)
    options = parser.parse_args()
    die_with_parent(options.parent)
    answers = _own_stdout()
    try:
        engine = FaceEngine.load(options.cache_dir, options.min_face_px)
    except FaceEngineError as error:
        send_error(answers, error)
        return
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers, engine)


def _own_stdout() -> IO[bytes]:
    # Libraries print to descriptor 1 as they like; the answers get a descriptor of their own.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    main()
