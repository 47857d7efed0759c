"""The headers of a PutMedia request, signed (SigV4)."""

from datetime import datetime
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

# All APIs of Kinesis Video Streams sign with this name, whatever the host is called.
SIGNING_NAME = "kinesisvideo"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def put_media_headers(
    url: str, *, credentials: ReadOnlyCredentials, region: str, stream_arn: str, start: datetime
) -> dict[str, str]:
    """Return all headers of the request; the signature covers an empty body, as AWS's own producers sign."""
    request = AWSRequest(
        method="POST",
        url=url,
        headers={
            "host": _host(url),
            "x-amzn-stream-arn": stream_arn,
            "x-amzn-fragment-timecode-type": "RELATIVE",
            # Three digits after the point, always: the C producer's ".5" for 5 ms is half a second.
            "x-amzn-producer-start-timestamp": f"{start.timestamp():.3f}",
            "x-amzn-fragment-acknowledgment-required": "1",
        },
    )
    SigV4Auth(credentials, SIGNING_NAME, region).add_auth(request)
    signed = {str(name): str(value) for name, value in request.headers.items()}
    return signed | {
        "transfer-encoding": "chunked",
        "connection": "keep-alive",
        "content-type": "application/octet-stream",
        "user-agent": "sightline-camera",
    }


def _host(url: str) -> str:
    parts = urlsplit(url)
    is_default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return (parts.hostname or "") if is_default else f"{parts.hostname}:{parts.port}"
