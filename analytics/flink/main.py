"""Streaming SQL over the sightings stream: one job of all the statements in `sql`, in order of their names.

The service starts it without arguments; `main.py --properties FILE` runs the same job on one machine
(local_run.py).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

Properties = Mapping[str, Mapping[str, str]]

HERE = Path(__file__).resolve().parent
ON_THE_SERVICE = Path("/etc/flink/application_properties.json")

SETTINGS = {
    "table.local-time-zone": "UTC",
    # Which sightings were seen already is remembered for a day.
    "table.exec.state.ttl": "24 h",
    # Read and parsed once, whoever uses it: without this each INSERT reads the stream by itself.
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
    # The watermark follows every record, not a clock: what is late depends on the records alone.
    "pipeline.auto-watermark-interval": "0 ms",
    "pipeline.object-reuse": "true",
}
_SINK = {"connector": "kinesis", "sink.flush-buffer.timeout": "1000"}
# Of the groups that are options of a table; one that names another connector has its own.
STREAMS = {
    "sightings": {
        "connector": "kinesis",
        "scan.stream.initpos": "TRIM_HORIZON",
        # A shard answers five times a second, to all its readers together.
        "scan.shard.getrecords.intervalmillis": "1000",
    },
    "results": _SINK,
    "crowding": _SINK,
}


def read_properties(path: Path) -> Properties:
    """The groups of the service's file, by their names."""
    return {group["PropertyGroupId"]: group["PropertyMap"] for group in json.loads(path.read_text())}


def statements(properties: Properties) -> list[str]:
    """The files of `sql`, with what differs from place to place filled in."""
    job = properties.get("job", {})
    values = {
        "late_after_seconds": str(int(job.get("late.after.seconds", "30"))),
        "crowding_floor": str(int(job.get("crowding.floor", "2"))),
    }
    for group, usual in STREAMS.items():
        given = properties[group]
        values[group] = with_options(given if "connector" in given else {**usual, **given})
    return [Template(file.read_text()).substitute(values) for file in sorted((HERE / "sql").glob("*.sql"))]


def with_options(options: Mapping[str, str]) -> str:
    """What stands between the brackets of a WITH."""
    quoted = {name: value.replace("'", "''") for name, value in options.items()}
    return ", ".join(f"'{name}' = '{value}'" for name, value in quoted.items())


def environment(settings: Mapping[str, str]) -> Any:
    """PyFlink's TableEnvironment with our settings and these."""
    # Imported here: it starts Java, and the statements can be read without it.
    from pyflink.table import EnvironmentSettings, TableEnvironment  # type: ignore  # noqa: PGH003, PLC0415

    made = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in {**SETTINGS, **settings}.items():
        made.get_config().set(name, value)
    return made


def submit(tables: Any, properties: Properties) -> Any:
    """Start the one job, PyFlink's TableResult; it goes on after this returns."""
    job = tables.create_statement_set()
    for statement in statements(properties):
        if is_insert(statement):
            job.add_insert_sql(statement)
        else:
            tables.execute_sql(statement)
    return job.execute()


def is_insert(statement: str) -> bool:
    code = [line for line in statement.splitlines() if not line.startswith("--")]
    return code[0].startswith("INSERT INTO ")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from local_run import run  # type: ignore  # noqa: PGH003

        sys.exit(run(sys.argv[1:], environment, submit, read_properties))
    submit(environment({}), read_properties(ON_THE_SERVICE))
