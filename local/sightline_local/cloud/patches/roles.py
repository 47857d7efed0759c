"""What moto's IAM does not know."""

import json
from typing import Any

from moto.iam import aws_managed_policies
from moto.iam import models as iam_models

from sightline_local.cloud.patches import original_of, replace


def know_managed_policies_when_attached() -> None:
    """Moto knows none of AWS's managed policies, or parses all 1,582 at every reset."""
    original = original_of(iam_models.IAMBackend, "attach_role_policy")

    def attach_role_policy(self: Any, policy_arn: str, role_name: str) -> None:
        if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies:
            name = policy_arn.rsplit("/", 1)[-1]
            data = json.loads(aws_managed_policies.aws_managed_policies_data).get(name)
            if data:
                policy = iam_models.AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data)
                self.managed_policies[policy.arn] = policy
        original(self, policy_arn, role_name)

    replace(iam_models.IAMBackend, "attach_role_policy", attach_role_policy)
