"""Flink SQL on this machine: the job of `analytics/flink` in its own virtual environment."""


def missing() -> str | None:
    """Say in one line why the job cannot run here and what to do; None when it can."""
    return "Flink is left out: not built yet"
