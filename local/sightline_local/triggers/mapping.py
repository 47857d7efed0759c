"""An event source mapping: its settings with Lambda's defaults, and what every kind of it can do."""

from dataclasses import dataclass
from datetime import datetime
from threading import Thread
from typing import Protocol

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """Settings of one mapping; those that its kind of source does not know stay at their defaults.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html and
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
    """

    uuid: str
    function_arn: str
    source_arn: str  # of a data stream or a queue
    starting_position: str = ""  # TRIM_HORIZON, LATEST or AT_TIMESTAMP; empty for a queue
    starting_timestamp: datetime | None = None
    enabled: bool = True
    batch_size: int = 100
    batching_window_seconds: int = 0
    bisects: bool = False
    max_retries: int = UNLIMITED
    max_age_seconds: int = UNLIMITED
    reports_failures: bool = False
    on_failure: str | None = None  # ARN of a bucket, a queue or a topic
    filters: tuple[str, ...] = ()  # patterns as JSON text; none: everything is for the function
    parallelization: int = 1  # batches of one shard at the same time
    maximum_concurrency: int | None = None  # batches of a queue at the same time

    @property
    def arn(self) -> str:
        region, account = self.function_arn.split(":")[3:5]
        return f"arn:aws:lambda:{region}:{account}:event-source-mapping:{self.uuid}"

    @property
    def service(self) -> str:
        """`kinesis` or `sqs`"""
        return self.source_arn.split(":")[2]

    @property
    def stream_name(self) -> str:
        return self.source_arn.rpartition("/")[2]


class SourceRefused(Exception):  # noqa: N818  as Lambda says it
    """The source is not there, or the function cannot be fed from it; the text is Lambda's."""


class Mapping(Protocol):
    """What the registry and the API need of a mapping."""

    settings: MappingSettings
    last_result: str
    last_modified: datetime

    def check_access(self) -> None:
        """Raise SourceRefused when the function or its role does not go with the source."""
        ...

    def place(self) -> None:
        """Decide where to begin, unless that is decided."""
        ...

    def start(self) -> None:
        """Begin, or go on, to read."""
        ...

    def stop(self) -> list[Thread]:
        """Ask what reads to end, and return it; an invocation under way ends by itself."""
        ...

    def change(self, settings: MappingSettings) -> None: ...

    def wake(self) -> None:
        """There may be something to read."""
        ...

    def forget(self) -> None:
        """It is deleted: nothing of it is kept."""
        ...
