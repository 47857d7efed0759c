"""What the worker is told by its environment."""

from typing import Annotated

from pydantic import Field

from sightline.settings import Settings


class WorkerSettings(Settings):
    """`presence_application` names the worker to the KCL: its lease table has that name."""

    aws_region: str
    sightings_stream: str
    presence_application: str
    presence_table: str
    presence_days: Annotated[int, Field(ge=1, le=3650)]
    presence_failures_queue_url: str
    # A worker that renews no lease for so long has lost it: so long nobody reads its shards after a crash.
    presence_failover_seconds: Annotated[int, Field(ge=1)] = 10
    # A shard answers five GetRecords a second to all of its readers together, and this one has four others.
    presence_idle_milliseconds: Annotated[int, Field(ge=200)] = 1000
