"""Is a file a video that can be streamed? Asked before anything else is touched."""

from pathlib import Path

from sightline_cli.errors import CliError


def check_video(path: Path) -> float | None:
    """Refuse what a video stream cannot carry; give the length in seconds when the file tells it."""
    # PyAV is slow to import; commands that stream no video do not wait for it.
    import av  # noqa: PLC0415

    from sightline_media import UnsupportedVideoError, remux  # noqa: PLC0415

    if not path.is_file():
        raise CliError(f"{path}: not a file" if path.exists() else f"{path}: no such file")
    if next(iter(remux(path)), None) is None:
        raise UnsupportedVideoError(f"{path}: there is no video in this file")
    with av.open(str(path)) as container:
        return container.duration / av.time_base if container.duration else None
