"""Where a video stream takes its media."""

from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from sightline_camera.errors import CameraError, LostConnectionError

# The camera has its own back-off; botocore's long default waits would hide that nobody answers.
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
# A proxy of the environment leads to AWS, and not to an endpoint of one's own.
_DIRECT = _CONFIG.merge(Config(proxies={}))


def region_of(stream_arn: str) -> str:
    """arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/TIME → REGION."""
    parts = stream_arn.split(":")
    if len(parts) != 6 or parts[2] != "kinesisvideo" or not parts[3]:
        raise CameraError(f"{stream_arn!r} is not the ARN of a video stream")
    return parts[3]


def put_media_url(session: boto3.Session, stream_arn: str, endpoint_url: str | None) -> str:
    """Ask GetDataEndpoint; CameraError when the answer is no, LostConnectionError when there is none."""
    client = session.client(
        "kinesisvideo",
        region_name=region_of(stream_arn),
        endpoint_url=endpoint_url,
        config=_DIRECT if endpoint_url else _CONFIG,
    )
    try:
        answer = client.get_data_endpoint(StreamARN=stream_arn, APIName="PUT_MEDIA")
    except NoCredentialsError:
        raise CameraError("there are no AWS credentials to stream with") from None
    except ClientError as error:
        raise _refusal(error, stream_arn) from None
    except BotoCoreError as error:
        raise LostConnectionError(_one_line(error)) from None
    url = str(answer["DataEndpoint"])
    if urlsplit(url).scheme not in {"http", "https"}:
        raise CameraError(f"Kinesis Video Streams named an endpoint that is no URL: {url!r}")
    return url.rstrip("/") + "/putMedia"


def _refusal(error: ClientError, stream_arn: str) -> CameraError | LostConnectionError:
    details = error.response.get("Error", {})
    code, message = details.get("Code", "Unknown"), details.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if status >= 500 or status == 429 or code == "ClientLimitExceededException":
        return LostConnectionError(f"{code}: {message}")
    if code == "ResourceNotFoundException":
        return CameraError(f"there is no video stream {stream_arn}")
    return CameraError(f"Kinesis Video Streams refused GetDataEndpoint: {code}: {message}")


def _one_line(error: BotoCoreError) -> str:
    return " ".join(str(error).split())
