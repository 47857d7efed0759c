"""For Firehose, before COPY: one row a line; what is no row is set aside and cannot harm its neighbours."""

from base64 import b64decode, b64encode
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.warehouse.model import row_line

logger = Logger()
metrics = Metrics()


def prepared(record: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html"""
    line = row_line(b64decode(record["data"]))
    if line is None:
        # Firehose keeps it, as it came, under processing-failed/ in the bucket.
        return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
    return {"recordId": record["recordId"], "result": "Ok", "data": b64encode(line).decode()}


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    records = [prepared(record) for record in event["records"]]
    refused = sum(record["result"] != "Ok" for record in records)
    metrics.add_metric("WarehouseRecordsSetAside", MetricUnit.Count, refused)
    if refused:
        logger.warning("records set aside", extra={"records": refused})
    return {"records": records}
