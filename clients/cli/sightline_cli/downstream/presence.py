"""The presence worker on this machine: the KCL's daemon and our record processor, each in its place."""


def missing() -> str | None:
    """Say in one line why the worker cannot run here and what to do; None when it can."""
    return "The presence worker is left out: not built yet"
