"""A worker without networks, which does what the height of a picture says. Its first argument is a folder."""

import os
import sys
import time
from pathlib import Path

from sightline_faces import Box, Face, Pose, Quality, WeightsError
from sightline_faces.protocol import receive, send, send_error, send_faces

ANSWER, CRASH, CRASH_ONCE, HANG, SLOW = 1, 2, 3, 4, 5


def main() -> None:
    folder = Path(sys.argv[1])
    answers, requests = sys.stdout.buffer, sys.stdin.buffer
    (folder / f"pid-{os.getpid()}").touch()
    if (folder / "cannot-start").exists():
        send_error(answers, WeightsError("the weights are missing"))
        return
    send(answers, {"ready": True})
    while (message := receive(requests)) is not None:
        obey(message[0]["height"], folder)
        # The width comes back, so that a test sees whose answer it got.
        send_faces(answers, [a_face(message[0]["width"])])


def obey(order: int, folder: Path) -> None:
    first = not (folder / "crashed").exists()
    if order == CRASH or (order == CRASH_ONCE and first):
        (folder / "crashed").touch()
        os._exit(1)
    if order == HANG:
        time.sleep(600)
    if order == SLOW:
        time.sleep(0.3)


def a_face(width: int) -> Face:
    return Face(Box(0, 0, width, 1), 99.0, {"nose": (0.5, 0.5)}, Pose(1, 2, 3), Quality(4, 5), None)


if __name__ == "__main__":
    main()
