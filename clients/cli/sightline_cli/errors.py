"""What a user is told when something fails: one line that says what to do."""

import errno
import sys

FAILED = 1
MISUSED = 2
NOBODY_SEEN = 3
INTERRUPTED = 130


class CliError(Exception):
    """An expected failure; its text is the line that the user reads."""

    exit_code = FAILED


class MisuseError(CliError):
    """An option or argument that cannot mean anything."""

    exit_code = MISUSED


def explain(error: BaseException) -> str | None:
    """Give the line for an expected failure, None for one that nobody foresaw."""
    if isinstance(error, CliError):
        return one_line(str(error))
    if isinstance(error, OSError) and error.filename is not None:
        return one_line(f"{error.filename}: {error.strerror or error}")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full: make room, or set TMPDIR or --keep to a folder on another one"
    return _explain_of_library(error)


def one_line(text: str) -> str:
    return " ".join(text.split())


def _explain_of_library(error: BaseException) -> str | None:
    # Only modules that are loaded can have raised: nothing is imported to explain an error.
    expected = [
        getattr(sys.modules.get(module), name, None)
        for module, name in (
            ("botocore.exceptions", "ClientError"),
            ("botocore.exceptions", "BotoCoreError"),
            ("sightline_local.errors", "LocalRuntimeError"),
            ("sightline_camera.errors", "CameraError"),
            ("sightline_media.errors", "MediaError"),
            ("sightline_faces.errors", "FaceEngineError"),
        )
    ]
    known = tuple(kind for kind in expected if kind is not None)
    return one_line(str(error)) if known and isinstance(error, known) else None
