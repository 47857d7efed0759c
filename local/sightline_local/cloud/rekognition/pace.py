"""How many frames of a fragment are analysed: five a second, fewer when the processor falls behind."""

USUAL_SECONDS = 0.2
SLOWEST_SECONDS = 1.0
"""Between two analysed frames."""

GIVE_UP_SECONDS = 10.0
"""Fragments that are later than this are skipped: an alert about the distant past helps nobody."""

_EASE_OFF_AT = 1.5
_SLOWEST_AT = 4.0


def seconds_between_frames(behind_seconds: float) -> float | None:
    """Rising from 0.2 to 1 second with the delay; None: skip the fragment."""
    if behind_seconds > GIVE_UP_SECONDS:
        return None
    strain = (behind_seconds - _EASE_OFF_AT) / (_SLOWEST_AT - _EASE_OFF_AT)
    return USUAL_SECONDS + min(1.0, max(0.0, strain)) * (SLOWEST_SECONDS - USUAL_SECONDS)
