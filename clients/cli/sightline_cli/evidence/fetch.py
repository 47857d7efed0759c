"""The evidence of an alert, from the stack's bucket into a folder."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sightline_cli.errors import CliError, MisuseError
from sightline_cli.evidence.folder import MANIFEST, read_manifest
from sightline_cli.stack import Stack


def fetch(stack: Stack, alert_id: str, folder: Path) -> Path:
    """Write every file into `folder`/ALERT_ID, which is returned; a file already there is replaced."""
    if not alert_id.replace("-", "").isalnum():
        raise MisuseError(f"{alert_id} is no alert_id")
    s3, bucket = stack.client("s3"), stack.output("EvidenceBucketName")
    place = folder / alert_id
    manifest = _read(s3, bucket, alert_id, MANIFEST)
    place.mkdir(parents=True, exist_ok=True)
    (place / MANIFEST).write_bytes(manifest)
    for each in read_manifest(place / MANIFEST)["files"]:
        (place / each["name"]).write_bytes(_read(s3, bucket, alert_id, each["name"]))
    return place


def _read(s3: Any, bucket: str, alert_id: str, name: str) -> bytes:
    try:
        content: bytes = s3.get_object(Bucket=bucket, Key=f"alerts/{alert_id}/{name}")["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            raise
        line = f"there is no {name} of alert {alert_id}"
        hint = ": it is written last, up to a minute after the alert" if name == MANIFEST else ""
        raise CliError(line + hint) from error
    return content
