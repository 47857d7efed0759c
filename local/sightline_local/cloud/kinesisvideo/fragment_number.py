"""Numbers of fragments: 47 digits, growing in the order of arrival.

Real ones are 2^156 plus an order in the upper bits and noise in the lower 92, so these are, too: whoever
treats them as a 64-bit integer, or expects the next one to be one more, fails here as on AWS.
"""

import secrets
from collections.abc import Callable

_BASE = 1 << 156
_NOISE_BITS = 92


class FragmentNumbers:
    """Numbers of one stream. Not safe for threads: a stream has one producer at a time."""

    def __init__(self, noise: Callable[[int], int] = secrets.randbits) -> None:
        self._noise = noise
        self._last_order = 0

    def next(self, epoch_ms: int) -> str:
        self._last_order = max(self._last_order + 1, epoch_ms)
        return str(_BASE + (self._last_order << _NOISE_BITS) + self._noise(_NOISE_BITS))

    def follow(self, number: str) -> None:
        """Go on behind a number that was given before."""
        self._last_order = max(self._last_order, (int(number) - _BASE) >> _NOISE_BITS)
