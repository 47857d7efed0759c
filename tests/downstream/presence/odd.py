"""A record processor with the real kclpy that keeps nothing: the first payload says what it does."""

import subprocess

from presence_worker.__main__ import main
from sightline.presence.service import Outcome


def record(deliveries):
    match deliveries[0].payload:
        case b"raise":
            raise ValueError("of a programmer")
        case b"exit":
            raise SystemExit(0)
        case b"print":
            print("a library has something to say")  # noqa: T201
            subprocess.run(["echo", "and what it runs too"], check=True)
    return Outcome(counted=len(deliveries), repeated=0, undecided=0, set_aside=0)


if __name__ == "__main__":
    main(lambda _settings: record)
