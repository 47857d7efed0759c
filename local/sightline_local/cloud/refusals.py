"""The gateway's own refusals, by the code that each service uses for them."""

from sightline_local.cloud.answers import Fault
from sightline_local.iam.authorizer import AccessDenied
from sightline_local.iam.sessions import ExpiredToken, TrustDenied, UnknownKey

_XML_PROTOCOLS = ("query", "rest-xml", "ec2")


def denied(error: AccessDenied | TrustDenied, signing_name: str, protocol: str) -> Fault:
    """AccessDeniedException of JSON services, AccessDenied of the XML ones, AuthorizationError of SNS."""
    query_code = "AuthorizationError" if signing_name == "sns" else "AccessDenied"
    status = 400 if protocol == "json" and signing_name != "sqs" else 403
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
        code, str(error), 400 if protocol == "json" else 403, query_code if keeps_query_code else None
    )


def unsigned() -> Fault:
    return Fault("MissingAuthenticationTokenException", "Missing Authentication Token", 403)


def unreadable(message: str) -> Fault:
    return Fault("UnknownOperationException", message, 400)


def internal(error: Exception) -> Fault:
    """A fault of the local runtime itself: one line for the caller, the traceback for the log."""
    return Fault("InternalFailure", f"The local runtime failed: {type(error).__name__}: {error}", 500)
