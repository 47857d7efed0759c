"""S3: multipart uploads under way, with the parts that have arrived."""

from collections.abc import Mapping
from typing import Any

from moto.s3.models import FakeMultipart, get_canned_acl

from sightline_local.cloud.calls import Call
from sightline_local.state.blobs import Blobs
from sightline_local.state.encoding import decode, encode, simple_attributes
from sightline_local.state.facts import Facts

_UPLOAD, _PART = "s3.upload", "s3.part"


class Uploads:
    """Keys: `bucket/upload id` and `bucket/upload id/part number`."""

    def __init__(self, facts: Facts, blobs: Blobs) -> None:
        self._facts = facts
        self._blobs = blobs

    def keep(self, bucket: Any, call: Call) -> None:
        """A call that may have begun, fed or ended an upload has succeeded."""
        if call.operation in ("UploadPart", "UploadPartCopy"):
            self._keep_part(bucket, call.params["UploadId"], int(call.params["PartNumber"]))
        elif call.operation == "CreateMultipartUpload":
            uploads = list(bucket.multiparts.values())
            self._facts.put_many(
                _UPLOAD, [(f"{bucket.name}/{each.id}", _described(each)) for each in uploads]
            )
        elif call.operation in ("CompleteMultipartUpload", "AbortMultipartUpload"):
            self._forget(bucket.name, call.params["UploadId"])

    def restore(self, buckets: Mapping[str, Any]) -> list[bytes | str]:
        """Give the buckets their uploads; return the parts' bodies as the facts hold them."""
        for key, fact in self._facts.all(_UPLOAD):
            if bucket := buckets.get(key.partition("/")[0]):
                upload = _upload(decode(fact))
                bucket.multiparts[upload.id] = upload
        bodies = []
        for key, fact in self._facts.all(_PART):
            bucket_name, upload_id, number = key.split("/")
            kept = decode(fact)
            bodies.append(kept["body"])
            bucket = buckets.get(bucket_name)
            if bucket and upload_id in bucket.multiparts:
                part = bucket.multiparts[upload_id].set_part(int(number), self._blobs.read(kept["body"]))
                vars(part).update(kept["values"])
        return bodies

    def _keep_part(self, bucket: Any, upload_id: str, number: int) -> None:
        part = bucket.multiparts[upload_id].parts[number]
        part.etag  # noqa: B018  moto computes it when it is first asked for
        values = {name: value for name, value in simple_attributes(part).items() if name != "name"}
        key = f"{bucket.name}/{upload_id}/{number}"
        before = self._facts.get(_PART, key)
        self._facts.put(_PART, key, encode({"values": values, "body": self._blobs.add(part.value)}))
        if before is not None:
            self._blobs.remove([decode(before)["body"]])

    def _forget(self, bucket_name: str, upload_id: str) -> None:
        upload = f"{bucket_name}/{upload_id}"
        parts = self._facts.all(_PART, f"{upload}/")
        with self._facts.transaction():
            self._facts.delete(_UPLOAD, [upload])
            self._facts.delete(_PART, [key for key, _ in parts])
        self._blobs.remove(decode(fact)["body"] for _, fact in parts)


def _described(upload: Any) -> bytes:
    return encode(
        {"values": simple_attributes(upload), "metadata": dict(upload.metadata), "tags": upload.tags}
    )


def _upload(kept: dict[str, Any]) -> FakeMultipart:
    values = kept["values"]
    upload = FakeMultipart(
        values["key_name"],
        kept["metadata"],
        values["account_id"],
        values["region_name"],
        tags=kept["tags"],
        acl=get_canned_acl("private"),
    )
    vars(upload).update(values)
    return upload
