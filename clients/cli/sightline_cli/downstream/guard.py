"""Runs a command until it ends, or until whoever asked for it is gone: then it ends with all that it started.

`python guard.py COMMAND…`, the leader of its process group. The end of stdin is the end of whoever asked,
however it came: a signal at the death of a parent is Linux's alone, and the command's children do not get it.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us, and it will tell us to end
    # Until there is somebody to hand it to, SIGTERM would be lost: it waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    command = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM}),  # noqa: PLW1509  no thread yet
    )
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    status = command.wait()
    os._exit(status if status >= 0 else 128 - status)


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
