"""What the daemon starts for each shard: `python -m presence_worker`. Its protocol is stdin and stdout."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn, TextIO

from amazon_kclpy import kcl

from presence_worker.checkpoints import Checkpoints
from presence_worker.environment import WorkerSettings
from presence_worker.patience import Patience
from presence_worker.processor import PresenceProcessor, Record
from sightline.aws import client
from sightline.clock import utc_now
from sightline.presence.dynamo import DynamoPresences
from sightline.presence.service import PresenceRecorder
from sightline.presence.sqs import SqsSetAside
from sightline.settings import SettingsError


def main(record_of: Callable[[WorkerSettings], Record]) -> None:
    """Speak to the daemon until it ends; `record_of` makes what keeps a batch."""
    # Whom Ctrl-C or a stop is meant for is the daemon; it ends us in order, or by the end of stdin.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    protocol = _stdout_of_our_own()
    try:
        record = record_of(WorkerSettings.from_env())
    except SettingsError as error:
        _log("cannot start", reason=str(error))
        sys.exit(1)
    processor = PresenceProcessor(
        record=record,
        checkpoints=Checkpoints(kcl.CheckpointError, time.sleep),
        patience=Patience(_log, time.sleep),
        log=_log,
        leave=_leave,
    )
    # The daemon is gone: what is kept but not saved comes again.
    with suppress(BrokenPipeError):
        kcl.KCLProcess(processor, output_file=protocol).run()


def _record_of(settings: WorkerSettings) -> Record:
    """The only place that knows concrete classes."""
    presences = DynamoPresences(
        client("dynamodb"), settings.presence_table, timedelta(days=settings.presence_days)
    )
    set_aside = SqsSetAside(client("sqs"), settings.presence_failures_queue_url)
    return PresenceRecorder(presences, set_aside, settings.sightings_stream, utc_now).record_presence


def _stdout_of_our_own() -> TextIO:
    """Whatever else is printed in this process goes to stderr: a stray line would end the daemon."""
    ours = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(ours, "w", encoding="utf-8")


def _log(event: str, **about: Any) -> None:
    """The daemon copies each line of stderr into its log."""
    with suppress(OSError):  # the daemon is gone
        sys.stderr.write(json.dumps({"event": event, **about}) + "\n")
        sys.stderr.flush()


def _leave() -> NoReturn:
    # Not sys.exit: nothing may run, and above all nothing be answered, after it.
    os._exit(1)


if __name__ == "__main__":
    main(_record_of)
