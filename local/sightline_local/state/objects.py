"""S3: objects with their versions, their metadata and tags."""

from threading import Lock
from typing import Any

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from sightline_local.cloud.calls import Call
from sightline_local.state.blobs import Blobs
from sightline_local.state.encoding import decode, encode, simple_attributes
from sightline_local.state.facts import Facts, FactsNotKeptError
from sightline_local.state.uploads import Uploads

_KIND = "s3.object"
_PARTITION = "aws"


class Objects:
    """Each version of an object is a fact, by bucket, key and its place among the versions."""

    def __init__(self, facts: Facts, account: str) -> None:
        self._facts = facts
        self._account = account
        self._blobs = Blobs(facts, "objects")
        self._uploads = Uploads(facts, self._blobs)
        self._lock = Lock()

    def after(self, call: Call) -> None:
        bucket_name = str(call.params.get("Bucket", ""))
        bucket = self._backend().buckets.get(bucket_name)
        if bucket is None:
            return  # the bucket itself was deleted: it was empty
        keys = _keys(call)
        with self._lock:
            self._uploads.keep(bucket, call)
            for key in keys:
                self._keep(bucket, key)

    def restore(self) -> list[str]:
        homeless = set()
        blobs: list[bytes | str] = []
        for fact_key, fact in self._facts.all(_KIND):
            bucket_name, _, rest = fact_key.partition("/")
            bucket, kept = self._backend().buckets.get(bucket_name), decode(fact)
            blobs.append(kept["body"])
            if bucket is None:
                homeless.add(f"bucket {bucket_name}")
            else:
                bucket.keys[rest.rpartition("\n")[0]] = self._version(kept)
        blobs += self._uploads.restore(self._backend().buckets)
        self._blobs.keep_only(blobs)
        return sorted(homeless)

    def begin(self) -> None: ...

    def _backend(self) -> Any:
        return s3_backends[self._account][_PARTITION]

    def _keep(self, bucket: Any, key: str) -> None:
        prefix = f"{bucket.name}/{key}\n"
        before = dict(self._facts.all(_KIND, prefix))
        try:
            now = {
                f"{prefix}{place:06}": encode(self._described(version))
                for place, version in enumerate(bucket.keys.getlist(key, []))
            }
            with self._facts.transaction():
                self._facts.put_many(_KIND, now.items())
                self._facts.delete(_KIND, before.keys() - now.keys())
        except FactsNotKeptError:  # what is not acknowledged must not be seen
            self._put_back(bucket, key, before)
            raise
        self._blobs.remove(decode(fact)["body"] for fact in before.values())

    def _put_back(self, bucket: Any, key: str, before: dict[str, bytes]) -> None:
        if versions := [self._version(decode(fact)) for fact in before.values()]:
            bucket.keys.setlist(key, versions)
        elif key in bucket.keys:
            bucket.keys.pop(key)

    def _described(self, version: Any) -> dict[str, Any]:
        if isinstance(version, FakeDeleteMarker):
            return {"name": version.name, "values": simple_attributes(version), "body": b"", "marker": True}
        version.etag  # noqa: B018  moto computes it when it is first asked for
        return {
            "name": version.name,
            "values": simple_attributes(version),
            "metadata": dict(version.metadata),
            "tags": self._backend().tagger.get_tag_dict_for_resource(version.arn),
            "body": self._blobs.add(version.value),
        }

    def _version(self, kept: dict[str, Any]) -> Any:
        if kept.get("marker"):
            key = FakeKey(kept["name"], b"", self._account, "us-east-1")
            version = FakeDeleteMarker(key=key)
            vars(version).update(kept["values"])
            return version
        values = kept["values"]
        key = FakeKey(kept["name"], self._blobs.read(kept["body"]), self._account, values["region_name"])
        vars(key).update(values)
        key.set_metadata(kept["metadata"])
        tags = [{"Key": name, "Value": value} for name, value in kept["tags"].items()]
        if tags:
            self._backend().tagger.tag_resource(key.arn, tags)
        return key


def _keys(call: Call) -> list[str]:
    """The keys of the objects that a call may have changed."""
    if call.operation == "DeleteObjects":
        return [str(each["Key"]) for each in call.params["Delete"]["Objects"]]
    parts = ("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "AbortMultipartUpload")
    return [str(call.params["Key"])] if "Key" in call.params and call.operation not in parts else []
