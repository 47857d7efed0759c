"""Run the benchmarks: all of them, or those that are named."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    arrival,
    compaction,
    consume,
    demo,
    flink,
    imports,
    lake,
    local_runtime,
    presence_worker,
    voting,
    warehouse,
)
from benchmarks.measure import Measurement, show, write

BENCHMARKS: dict[str, Callable[[], Iterator[Measurement]]] = {
    "imports": imports.run,
    "consume": consume.run,
    "voting": voting.run,
    "arrival": arrival.run,
    "local-runtime": local_runtime.run,
    "lake": lake.run,
    "compaction": compaction.run,
    "warehouse": warehouse.run,
    "flink": flink.run,
    "presence-worker": presence_worker.run,
    "demo": demo.run,
}
RESULTS = Path("build/bench.json")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(
            f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr
        )
        return 2
    measurements: list[Measurement] = []
    for name in names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr)
        measurements += BENCHMARKS[name]()
    show(measurements)
    write(measurements, RESULTS)
    print(f"written to {RESULTS}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
