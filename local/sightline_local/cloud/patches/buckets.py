"""What moto's S3 does and the gateway does better."""

from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models

from sightline_local.cloud.patches import replace


def leave_bucket_policies_to_the_gateway() -> None:
    """Moto enforces them without their conditions: "deny what is not TLS" would deny everything."""
    replace(s3_models.FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
