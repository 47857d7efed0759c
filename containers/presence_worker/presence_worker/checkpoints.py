"""Saving by the daemon how far a shard is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What the daemon answers, by the name of the Java exception.
_LEASE_IS_LOST = "ShutdownException"
_LATER = frozenset({"ThrottlingException", "KinesisClientLibDependencyException"})
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


class CheckpointUnavailableError(Exception):
    """The lease table cannot be written now."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """`refusal` is what kclpy's checkpointer raises: an error with the answer of the daemon as `value`."""

    refusal: type[Exception]
    pause: Callable[[float], None]

    def save(self, checkpointer: Any, *position: Any) -> bool:
        """Save the position (none: the end of the shard); False when another worker has the shard by now.

        CheckpointUnavailableError after the last pause; any other refusal is raised as it is.
        """
        for seconds in (*PAUSES, None):
            try:
                checkpointer.checkpoint(*position)
            except self.refusal as error:
                answer = getattr(error, "value", None)
                if answer == _LEASE_IS_LOST:
                    return False
                if answer not in _LATER:
                    raise
                if seconds is not None:
                    self.pause(seconds)
            else:
                return True
        raise CheckpointUnavailableError
