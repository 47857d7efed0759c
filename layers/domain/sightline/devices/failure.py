"""Why a device did not start, as one sentence that says what to fix."""

import json
import re
from typing import Any, Final

_SHORT: Final = 200  # characters of an unknown cause that a person still reads

# In both tables the first row that fits is taken, and a sentence without its full stop gets this end.
_THEN: Final = ", then start the device again."

# A part of the StatusMessage of a FAILED processor, as AWS documents them (Rekognition guide,
# "Troubleshooting streaming video").
_STATUS_MESSAGES: Final = (
    (
        r"access denied to role",
        """Rekognition may not assume its role: check that the stack's RekognitionRole exists and that its
        trust policy names rekognition.amazonaws.com""",
    ),
    (
        r"access denied to kinesis video",
        """Rekognition may not read the video stream: give the stack's RekognitionRole
        kinesisvideo:GetDataEndpoint and kinesisvideo:GetMedia on it""",
    ),
    (
        r"access denied to kinesis data",
        """Rekognition may not write the face stream: give the stack's RekognitionRole kinesis:PutRecord and
        kinesis:PutRecords on it""",
    ),
    (
        r"stream .* under account .* not found",
        """The face stream is gone: Rekognition found no Kinesis data stream of that name in this account and
        Region; start the device again to have it made anew.""",
    ),
    (
        r"stream .* doesn.?t exist",
        """The video stream is gone: Rekognition found none of that name in this Region; start the device
        again to have it made anew.""",
    ),
    (
        r"collection .*not found",
        "The collection of enrolled faces is gone: deploy the stack again and enrol the people",
    ),
)

# The error as Step Functions names it, a part of its cause, the sentence.
_ERRORS: Final = (
    (
        r"ProcessorStuck",
        r"",
        """The processor did not get going within two minutes and was removed: start the device again, and
        ask AWS Support if that happens every time.""",
    ),
    (
        r"Rekognition\.AccessDenied",
        r"^$",  # no message at all is how AWS refuses the whole feature
        """Rekognition refuses stream processors to this account or Region: AWS closed them to new customers
        on 30 April 2026 and offers them only in us-east-1, us-west-2, ap-northeast-1, eu-central-1 and
        eu-west-1; use an account and a Region that have them.""",
    ),
    (
        r"Rekognition\.LimitExceeded",
        r"",
        """The account's limit of face-search processors that run at once is reached (10 in each Region
        unless raised): stop another device or ask AWS for more""",
    ),
    (
        r"Rekognition\.ServiceQuotaExceeded",
        r"",
        "A quota of Rekognition is reached: remove devices or ask AWS for more stream processors",
    ),
    (
        r"KinesisVideo\.(AccountStream|DeviceStream)LimitExceeded",
        r"",
        "The account's limit of video streams is reached: remove devices or ask AWS for more",
    ),
    (
        r"KinesisVideo\.ClientLimitExceeded",
        r"",
        "Kinesis Video Streams is throttling this account: wait a minute",
    ),
    (
        r"Kinesis\.LimitExceeded",
        r"",
        """The account's limit of Kinesis shards is reached, or too many streams are being made at once:
        remove devices or ask AWS for more shards""",
    ),
    (
        r"(Kinesis|KinesisVideo)\.Resource(NotFound|InUse)",
        r"",
        "A stream of this device is being deleted, or was deleted meanwhile: wait a minute",
    ),
    (
        r"Rekognition\.ResourceNotFound",
        r"collection",
        "The collection of enrolled faces is gone: deploy the stack again and enrol the people",
    ),
    (
        r"Rekognition\.Resource(NotFound|InUse)",
        r"",
        "The processor is being deleted, or was deleted meanwhile: wait a minute",
    ),
    (
        r"DynamoDB\.ConditionalCheckFailed",
        r"",
        "A later request to this device replaced this one.",
    ),
    (
        r".*\.(AccessDenied|NotAuthorized)",
        r"",
        "The role of the state machine lacks a permission ({cause}): deploy the stack's template unchanged",
    ),
    (
        r".*\.(Throttling|ThrottledRequests|ProvisionedThroughputExceeded|TooManyRequests)",
        r"",
        "AWS is throttling this account: wait a minute",
    ),
    (
        r"States\.Timeout",
        r"",
        "AWS did not answer in time: wait a minute",
    ),
)


def explain(error: str, cause: str | None) -> str:
    """One sentence; what is not known keeps the error's name and the beginning of its cause."""
    short = _short(cause or "")
    if error == "ProcessorFailed":
        return _explain_status_message(short)
    for name, needed, sentence in _ERRORS:
        is_that_error = re.fullmatch(f"{name}(Exception)?", error, re.IGNORECASE)
        if is_that_error and re.search(needed, short, re.IGNORECASE):
            return _finished(sentence).replace("{cause}", short.rstrip(".") or "AWS does not say which")
    return f"{error}: {short}" if short else f"{error} (AWS gives no cause)"


def made_by_this_start(error: str, made: dict[str, bool]) -> dict[str, bool]:
    """Which streams go again: those this execution made, unless a later request now needs them."""
    is_replaced = error.lower().startswith("dynamodb.conditionalcheckfailed")
    return {
        "remove_face_stream": made["face_stream"] and not is_replaced,
        "remove_video_stream": made["video_stream"] and not is_replaced,
    }


def _explain_status_message(message: str) -> str:
    for part, sentence in _STATUS_MESSAGES:
        if re.search(part, message, re.IGNORECASE):
            return _finished(sentence)
    return f"The processor failed: {message or 'Rekognition does not say why'}"


def _finished(sentence: str) -> str:
    words = " ".join(sentence.split())
    return words if words.endswith(".") else words + _THEN


def _short(cause: str) -> str:
    """The first line, without what only machines read: request ids, a function's JSON and stack trace."""
    lines = _message_of(cause).strip().splitlines() or [""]
    # "Parameter validation failed:" says what failed in its second line.
    line = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    line = re.sub(r"\s*\((Service|Request ID)\b.*$", "", line).strip()
    if line == "null":  # how AWS's Java SDK, which Step Functions calls with, writes that there is no message
        return ""
    return line if len(line) <= _SHORT else line[: _SHORT - 1].rstrip() + "…"


def _message_of(cause: str) -> str:
    try:
        parsed: Any = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", "")) if isinstance(parsed, dict) else cause
