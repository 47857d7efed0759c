"""Presigned S3 URLs: signed by a session, good for a time, and for exactly the request that was signed.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from moto.s3.models import s3_backends

from sightline_local.cloud.answers import Fault
from sightline_local.iam import Credentials

_LONGEST_SECONDS = 7 * 24 * 3600
_CLOCK_SKEW = timedelta(minutes=15)


def is_presigned(environ: Mapping[str, Any]) -> bool:
    query = environ.get("QUERY_STRING", "")
    return "X-Amz-Signature=" in query or "AWSAccessKeyId=" in query


def fault_of_url(
    environ: Mapping[str, Any], signer: Credentials, account: str, now: datetime
) -> Fault | None:
    """Why S3 does not take the URL; None when it does."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if "AWSAccessKeyId" in query:
        return _fault_of_version_2(environ, query, account, now)
    if fault := _fault_of_time(query, now):
        return fault
    if hmac.compare_digest(_signature(environ, query, signer), query["X-Amz-Signature"]):
        return None
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method."
    )
    return Fault("SignatureDoesNotMatch", message, 403)


def _fault_of_time(query: Mapping[str, str], now: datetime) -> Fault | None:
    if missing := {"X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"} - query.keys():
        return _denied_query(f"Query-string authentication version 4 requires the {min(missing)} parameter")
    if not query["X-Amz-Expires"].isdigit() or int(query["X-Amz-Expires"]) > _LONGEST_SECONDS:
        return _denied_query("X-Amz-Expires must be less than a week (in seconds) that is 604800")
    signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if signed_at > now + _CLOCK_SKEW:
        return _denied("Request is not valid yet")
    if now > signed_at + timedelta(seconds=int(query["X-Amz-Expires"])):
        return _denied("Request has expired")
    return None


def _fault_of_version_2(
    environ: Mapping[str, Any], query: Mapping[str, str], account: str, now: datetime
) -> Fault | None:
    """Good until a moment; what it signs is not looked at."""
    if not query.get("Expires", "").isdigit():
        return _denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        )
    if now.timestamp() > int(query["Expires"]):
        return _denied("Request has expired")
    bucket = str(environ.get("PATH_INFO", "")).lstrip("/").partition("/")[0]
    if _is_encrypted_by_kms(account, bucket):
        message = (
            "Requests specifying Server Side Encryption with AWS KMS managed keys "
            "require AWS Signature Version 4."
        )
        return Fault("InvalidArgument", message, 400)
    return None


def _signature(environ: Mapping[str, Any], query: Mapping[str, str], signer: Credentials) -> str:
    """What the signature of this very request would be."""
    _, _, region, service, _ = query["X-Amz-Credential"].split("/")
    auth = S3SigV4QueryAuth(
        BotoCredentials(signer.access_key, signer.secret_key, signer.session_token), service, region
    )
    unsigned = urlencode(
        [(name, value) for name, value in query.items() if name != "X-Amz-Signature"], quote_via=quote
    )
    # WSGI hands on the decoded path as latin-1.
    path = quote(str(environ.get("PATH_INFO", "/")).encode("latin-1"), safe="/~")
    host = environ.get("HTTP_HOST", "")
    headers = {name: _header(environ, name) for name in query["X-Amz-SignedHeaders"].split(";")}
    request = AWSRequest(environ["REQUEST_METHOD"], f"http://{host}{path}?{unsigned}", headers=headers)
    request.context["timestamp"] = query["X-Amz-Date"]
    signed: str = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return signed


def _header(environ: Mapping[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", ""))


def _is_encrypted_by_kms(account: str, bucket_name: str) -> bool:
    bucket = s3_backends[account]["aws"].buckets.get(bucket_name)
    return bucket is not None and "aws:kms" in str(bucket.encryption)


def _denied(message: str) -> Fault:
    return Fault("AccessDenied", message, 403)


def _denied_query(message: str) -> Fault:
    return Fault("AuthorizationQueryParametersError", message, 400)
