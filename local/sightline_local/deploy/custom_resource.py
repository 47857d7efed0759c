"""AWS::CloudFormation::CustomResource and Custom::Anything: a function of the template makes it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.deploy.resource_type import CARRIED, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.errors import DeployError
from sightline_local.iam import ADMIN_CREDENTIALS
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_KIND = "cloudformation.custom-resource"
_LONGEST_SECONDS = 3600
_LARGEST_ANSWER = 4096
_PAUSE_SECONDS = 0.05
_URL_LASTS_SECONDS = 7200
_ENOUGH_FOR_A_LATE_ANSWER_SECONDS = 0.5  # a function that failed may have answered just before


def _make(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    token = str(properties["ServiceToken"])
    if ":function:" not in token:
        raise resource.error("the local runtime knows functions as ServiceToken only", "ServiceToken")
    seconds = int(properties.get("ServiceTimeout", _LONGEST_SECONDS))
    if not 1 <= seconds <= _LONGEST_SECONDS:
        raise resource.error(f"ServiceTimeout must be between 1 and {_LONGEST_SECONDS}", "ServiceTimeout")
    digest = hashlib.sha256(json.dumps(properties, sort_keys=True, default=str).encode()).hexdigest()
    kept = json.loads(site.facts.get(_KIND, resource.logical_id) or b"{}")
    if kept.get("digest") != digest:  # else it was made by an earlier start, with the same properties
        answer = _Request(resource, properties, site).answered(seconds)
        kept = {"digest": digest, "id": answer["PhysicalResourceId"], "data": answer.get("Data") or {}}
        site.facts.put(_KIND, resource.logical_id, json.dumps(kept).encode())
    return Made(kept["id"], kept["data"])


@dataclass(slots=True)
class _Call:
    """What became of the invocation."""

    is_over: bool = False
    failure: str = ""
    ended_at: float = field(default=0.0)


class _Request:
    """One Create, and the wait for its answer."""

    def __init__(self, resource: Resource, properties: Mapping[str, Any], site: Site) -> None:
        self._resource = resource
        self._site = site
        self._token = str(properties["ServiceToken"])
        self._id = str(uuid.uuid4())
        self._s3 = site.client("s3")
        self._bucket = f"cloudformation-custom-resource-response-{site.stack.region.replace('-', '')}"
        self._key = f"{site.stack.stack_id}|{resource.logical_id}|{self._id}"
        self._make_bucket()
        self._event = {
            "RequestType": "Create",
            "ServiceToken": self._token,
            "ResponseURL": self._response_url(),
            "StackId": site.stack.stack_id,
            "RequestId": self._id,
            "LogicalResourceId": resource.logical_id,
            "ResourceType": resource.type,
            "ResourceProperties": _as_texts(properties),
        }

    def answered(self, seconds: int) -> dict[str, Any]:
        """The answer of the provider; DeployError when it failed, is none, or does not come."""
        call = _Call()
        name = f"custom-{self._resource.logical_id}"
        Thread(target=self._invoke, args=(call,), name=name, daemon=True).start()
        end = time.monotonic() + seconds
        while (body := self._fetch()) is None:
            now = time.monotonic()
            if call.failure and now - call.ended_at > _ENOUGH_FOR_A_LATE_ANSWER_SECONDS:
                # AWS waits for the whole time, as somebody else might answer; nobody would want that here.
                raise self._error(f"its function did not answer and failed: {call.failure}")
            if now > end:
                raise self._error(
                    "CloudFormation did not receive a response from your Custom Resource. Please check your"
                    f" logs for requestId [{self._id}]"
                )
            time.sleep(_PAUSE_SECONDS)
        self._s3.delete_object(Bucket=self._bucket, Key=self._key)
        return self._checked(body)

    def _make_bucket(self) -> None:
        region = self._site.stack.region
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        settings = {"CreateBucketConfiguration": place} if place else {}
        with suppress(self._s3.exceptions.BucketAlreadyOwnedByYou):
            self._s3.create_bucket(Bucket=self._bucket, **settings)

    def _response_url(self) -> str:
        """A presigned PUT (version 4): whoever has the URL may answer, once the function hands it on."""
        lent = Credentials(ADMIN_CREDENTIALS.access_key, ADMIN_CREDENTIALS.secret_key)
        url = f"{self._s3.meta.endpoint_url}/{self._bucket}/{quote(self._key, safe='/~')}"
        request = AWSRequest("PUT", url)
        S3SigV4QueryAuth(lent, "s3", self._site.stack.region, expires=_URL_LASTS_SECONDS).add_auth(request)
        return str(request.url)

    def _invoke(self, call: _Call) -> None:
        try:
            client = self._site.client("lambda")
            answer = client.invoke(FunctionName=self._token, Payload=json.dumps(self._event).encode())
            if answer.get("FunctionError"):
                call.failure = _reason(answer["Payload"].read())
        except (ClientError, BotoCoreError) as error:
            call.failure = str(error)
        call.ended_at = time.monotonic()
        call.is_over = True

    def _fetch(self) -> bytes | None:
        try:
            return bytes(self._s3.get_object(Bucket=self._bucket, Key=self._key)["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            return None

    def _checked(self, body: bytes) -> dict[str, Any]:
        if len(body) > _LARGEST_ANSWER:
            raise self._error("Response object is too long.")
        try:
            answer: Any = json.loads(body)
        except ValueError as error:
            raise self._error("Invalid Response object: it is no JSON") from error
        if problem := self._problem(answer):
            raise self._error(problem)
        return dict(answer)

    def _problem(self, answer: Any) -> str:
        """Why the answer makes no resource."""
        if not isinstance(answer, dict) or answer.get("Status") not in ("SUCCESS", "FAILED"):
            return "Invalid Response object: Status must be SUCCESS or FAILED"
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            if answer.get(name) != self._event[name]:
                return f"Invalid Response object: Value of property {name} must be {self._event[name]}"
        if answer["Status"] == "FAILED":
            return (
                "Received response status [FAILED] from custom resource. Message returned:"
                f" {answer.get('Reason', '')} (RequestId: {self._id})"
            )
        made = answer.get("PhysicalResourceId")
        return "" if made and isinstance(made, str) else "Invalid PhysicalResourceId"

    def _error(self, reason: str) -> DeployError:
        return DeployError(self._resource.logical_id, self._resource.type, reason)


def _as_texts(value: Any) -> Any:
    """CloudFormation hands every scalar on as text."""
    if isinstance(value, dict):
        return {key: _as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_texts(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload.decode("utf-8", "replace")[:200]


CUSTOM_RESOURCE = ResourceType(
    name="AWS::CloudFormation::CustomResource",
    accepts=CARRIED,  # its properties are the function's business
    create=_make,
    attributes=None,  # whatever the function's Data holds
    required=frozenset({"ServiceToken"}),
)
