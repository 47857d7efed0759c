"""What is out of order now may be in order in a moment: the same again, with longer and longer pauses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sightline.errors import UnavailableError

# Together 3 min 39 s: to give up costs two minutes in which nobody reads (docs/decisions/0026). The daemon
# waits for ten minutes and renews the lease meanwhile.
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, *6 * (30.0,))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """`log` is told of each pause; `pause` takes seconds."""

    log: Callable[..., None]
    pause: Callable[[float], None]

    def until_available(self, work: Callable[[], T]) -> T:
        """What `work` returns; UnavailableError when it still raises that after the last pause."""
        for seconds in PAUSES:
            try:
                return work()
            except UnavailableError as error:
                self.log("waiting", seconds=seconds, reason=str(error))
                self.pause(seconds)
        return work()
