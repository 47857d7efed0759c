"""The gateway's own refusals, by the code that each service uses for them."""

import errno
import logging

from sightline_local.cloud import answers
from sightline_local.cloud.answers import Fault
from sightline_local.cloud.calls import UnreadableCallError
from sightline_local.cloud.service import ServiceError
from sightline_local.errors import LocalRuntimeError
from sightline_local.iam.authorizer import AccessDenied
from sightline_local.iam.sessions import ExpiredToken, TrustDenied, UnknownKey

_logger = logging.getLogger(__name__)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_XML_PROTOCOLS = ("query", "rest-xml", "ec2")
_JSON_PROTOCOLS = ("json", "cbor")


def fault_of(error: Exception, signing_name: str, protocol: str) -> Fault:
    """What the caller hears of an error; one that nobody expected is logged."""
    match error:
        case UnknownKey():
            return unknown_key(error, signing_name, protocol)
        case AccessDenied() | TrustDenied():
            return denied(error, signing_name, protocol)
        case ServiceError():  # of a service that was asked which resource is meant
            return answers.fault_of(error, None)
        case UnreadableCallError():
            return Fault("UnknownOperationException", str(error), 400)
        case LocalRuntimeError() | OSError() if said := _line_of(error):
            _logger.error("%s failed: %s", signing_name, said)
            return Fault("InternalFailure", said, 500)
        case _:
            _logger.error("%s failed", signing_name, exc_info=error)
            return Fault("InternalFailure", f"The local runtime failed: {type(error).__name__}: {error}", 500)


def _line_of(error: LocalRuntimeError | OSError) -> str:
    """What the person who runs the runtime can do something about, such as no room on the disk."""
    if isinstance(error, OSError):
        return f"no room left: {error.strerror}" if error.errno in _FULL else ""
    return str(error)


def denied(error: AccessDenied | TrustDenied, signing_name: str, protocol: str) -> Fault:
    """AccessDeniedException of JSON services, AccessDenied of the XML ones, AuthorizationError of SNS."""
    query_code = "AuthorizationError" if signing_name == "sns" else "AccessDenied"
    status = 400 if protocol in _JSON_PROTOCOLS and signing_name != "sqs" else 403
    keeps_query_code = protocol in _XML_PROTOCOLS or signing_name == "sqs"
    return Fault("AccessDeniedException", str(error), status, query_code if keeps_query_code else None)


def unknown_key(error: UnknownKey, signing_name: str, protocol: str) -> Fault:
    """Keys that nobody lent, or that are over."""
    code, query_code = "UnrecognizedClientException", "InvalidClientTokenId"
    if isinstance(error, ExpiredToken):
        code, query_code = "ExpiredTokenException", "ExpiredToken"
    elif signing_name == "s3":
        query_code = "InvalidAccessKeyId"
    keeps_query_code = protocol in _XML_PROTOCOLS or signing_name == "sqs"
    return Fault(
        code,
        str(error),
        400 if protocol in _JSON_PROTOCOLS else 403,
        query_code if keeps_query_code else None,
    )


def unsigned() -> Fault:
    return Fault("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
