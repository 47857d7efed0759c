"""The entry of the program `sightline`: it parses on any Python 3, to refuse an old one in one line."""

import os
import signal
import sys


def run() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs an old Python shall read why, not a SyntaxError
        sys.stderr.write("sightline: needs Python 3.11 or newer, this is %d.%d\n" % sys.version_info[:2])  # noqa: UP031
        return 1
    # Until a command has something to clean up, and while imports run, Ctrl-C just ends the program.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from sightline_cli.app import main  # noqa: PLC0415 - an old Python cannot parse what that imports

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
