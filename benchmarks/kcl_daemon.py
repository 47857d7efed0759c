"""A stand-in for the daemon of the KCL: it speaks the protocol with a record processor, without Java."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

TRIM_HORIZON = "TRIM_HORIZON"


class ProcessorEndedError(Exception):
    """The record processor has ended instead of answering."""


class StandInDaemon:
    """One shard's record processor, `command`; `checkpoints` are the positions that it saved.

    `refusals` are answers to its next checkpoints, by the name of an exception of Java; None lets it pass.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], stderr: Any = None) -> None:
        self.checkpoints: list[str | None] = []
        self.refusals: list[str | None] = []
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        )

    def __enter__(self) -> Self:
        self.ask("initialize", shardId="shard", sequenceNumber=TRIM_HORIZON, subSequenceNumber=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def process(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Sequence numbers and payloads; until the record processor is done with them."""
        content = [
            {
                "action": "record",
                "data": b64encode(payload).decode(),
                "partitionKey": "key",
                "sequenceNumber": number,
                "subSequenceNumber": 0,
                "approximateArrivalTimestamp": 0,
            }
            for number, payload in records
        ]
        self.ask("processRecords", records=content, millisBehindLatest=0)

    def ask(self, action: str, **about: Any) -> None:
        """ProcessorEndedError when it ends instead."""
        self._say({"action": action, **about})
        while (answer := self._hear())["action"] == "checkpoint":
            self._checkpoint(answer)
        if (answer["action"], answer.get("responseFor")) != ("status", action):
            raise ValueError(f"not in the protocol: {answer}")

    def end(self) -> int:
        """Its exit status, after the end of its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(10)

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def wait(self) -> int:
        return self._process.wait(10)

    def _checkpoint(self, asked: Mapping[str, Any]) -> None:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is None:
            self.checkpoints.append(asked["sequenceNumber"])
        self._say({**asked, "error": refusal})

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ProcessorEndedError from error

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip():
                message: dict[str, Any] = json.loads(line)
                return message
        raise ProcessorEndedError
