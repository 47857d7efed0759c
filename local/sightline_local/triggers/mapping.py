"""An event source mapping's settings, with Lambda's defaults for Kinesis."""

from dataclasses import dataclass
from datetime import datetime

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html"""

    uuid: str
    function_arn: str
    stream_arn: str
    starting_position: str  # TRIM_HORIZON, LATEST or AT_TIMESTAMP
    starting_timestamp: datetime | None = None
    enabled: bool = True
    batch_size: int = 100
    batching_window_seconds: int = 0
    bisects: bool = False
    max_retries: int = UNLIMITED
    max_age_seconds: int = UNLIMITED
    reports_failures: bool = False
    on_failure: str | None = None  # ARN of a bucket, a queue or a topic

    @property
    def arn(self) -> str:
        region, account = self.function_arn.split(":")[3:5]
        return f"arn:aws:lambda:{region}:{account}:event-source-mapping:{self.uuid}"

    @property
    def stream_name(self) -> str:
        return self.stream_arn.rpartition("/")[2]
