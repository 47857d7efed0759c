"""Policies that hang on resources: queues, topics and buckets as moto keeps them, the trust of roles."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from sightline_local.iam.policy import UnsupportedPolicyError, parse
from sightline_local.iam.policy_set import PolicySet, single
from sightline_local.iam.roles import TRUST, backend_of, trust_text

POLICY = "resource policy"  # how a report names it
_PARTS = 6
_DEFAULT_OF_TOPICS = '"Id":"__default_policy_ID"'

TextOf = Callable[[str, str, str], str | None]  # (account, region, last part of the ARN) → policy


def _of_queue(account: str, region: str, name: str) -> str | None:
    backend = backend_of(sqs_backends, account, region)
    queue = backend.queues.get(name) if backend else None
    text: str | None = None if queue is None else queue.policy
    return text


def _of_topic(account: str, region: str, name: str) -> str | None:
    backend = backend_of(sns_backends, account, region)
    topic = backend.topics.get(f"arn:aws:sns:{region}:{account}:{name}") if backend else None
    text: str | None = None if topic is None else topic.policy
    # What a topic begins with asks for AWS:SourceOwner, which no request of a role has: it lets nobody in.
    return None if text is None or _DEFAULT_OF_TOPICS in text else text


class ResourcePolicies:
    """`of(arn)`. Other services put how to find the text of a policy into `readers`, by the ARN's service."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._known: dict[str, tuple[str, PolicySet]] = {}  # ARN → text, set
        self.readers: dict[str, Callable[[str], str | None]] = {
            "iam": trust_text,
            "s3": self._of_bucket,
            "sns": self._regional(_of_topic),
            "sqs": self._regional(_of_queue),
        }

    def of(self, arn: str) -> PolicySet | None:
        """The policy of the resource, or of the bucket of an object; None without one."""
        parts = arn.split(":", _PARTS - 1)
        reader = self.readers.get(parts[2]) if len(parts) == _PARTS else None
        text = reader(arn) if reader else None
        if text is None:
            return None
        owner = arn.partition("/")[0] if parts[2] == "s3" else arn
        known = self._known.get(owner)
        if known is None or known[0] != text:
            name = TRUST if parts[2] == "iam" else POLICY
            known = self._known[owner] = (text, single(owner, name, parse(text)))
        return known[1]

    def all(self) -> Iterator[PolicySet]:
        """Every policy of a queue, a topic and a bucket."""
        queues = [each.queue_arn for each in list(sqs_backends[self._account][self._region].queues.values())]
        topics = list(sns_backends[self._account][self._region].topics)
        buckets = [f"arn:aws:s3:::{name}" for name in list(s3_backends[self._account]["aws"].buckets)]
        for arn in (*queues, *topics, *buckets):
            with suppress(UnsupportedPolicyError):  # it has denied everything, and that is told
                if policies := self.of(arn):
                    yield policies

    def _of_bucket(self, arn: str) -> str | None:
        name = arn.rpartition(":::")[2].partition("/")[0]
        backend = backend_of(s3_backends, self._account, "aws")
        bucket = backend.buckets.get(name) if backend else None
        if bucket is None or not bucket.policy:
            return None
        return str(bucket.policy, "utf-8") if isinstance(bucket.policy, bytes) else str(bucket.policy)

    def _regional(self, text_of: TextOf) -> Callable[[str], str | None]:
        return lambda arn: text_of(self._account, self._region, arn.rpartition(":")[2])
