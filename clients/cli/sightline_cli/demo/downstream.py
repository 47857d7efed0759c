"""`demo --all`: the sightings of the story, as each consumer of their stream has them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sightline_cli.demo.report import Report, Step
from sightline_cli.downstream import flink, presence
from sightline_cli.downstream.findings import of_flink, of_lake, of_presence, of_warehouse
from sightline_cli.downstream.presence import PresenceWorker
from sightline_cli.downstream.scene import Finding, Scene, Sent
from sightline_cli.errors import CliError

_NAMES = {
    "lake": "the lake",
    "warehouse": "the warehouse",
    "flink": "Flink SQL",
    "presence": "who is where now",
}


@dataclass
class Downstream:
    """Asks one after the other; CliError when one does not have exactly the sightings of the stream."""

    scene: Scene
    report: Report
    on_step: Callable[[Step], None]

    def show(self) -> None:
        """Lake, warehouse, Flink, presence; what cannot run here is left out, and says why."""
        self.report.stage("counting the sightings")
        sent = self.scene.sent()
        if not sent.sightings:
            self.on_step(Step("downstream", "nobody was seen: there is nothing to ask about", ""))
            return
        with self._worker() as worker:
            self._ask("lake", sent, of_lake)
            self._ask("warehouse", sent, of_warehouse)
            self._ask("flink", sent, of_flink, flink.missing())
            self._ask(
                "presence", sent, lambda scene, sent: of_presence(scene, worker, sent), presence.missing()
            )

    def _ask(
        self, name: str, sent: Sent, of: Callable[[Scene, Sent], Finding], left_out: str | None = None
    ) -> None:
        if left_out is not None:
            self.on_step(Step(name, left_out, ""))
            self.report.event("downstream", consumer=name, sightings=None, left_out=left_out, rows=[])
            return
        self.report.stage(f"asking {_NAMES[name]}")
        began = time.monotonic()
        finding = of(self.scene, sent)
        self.on_step(Step(name, f"{_NAMES[name]}: {finding.words}", f"{time.monotonic() - began:.1f} s"))
        self.report.event(
            "downstream", consumer=name, sightings=finding.sightings, left_out=None, rows=finding.rows
        )
        if finding.sightings != sent.sightings:
            has = f"{_NAMES[name]} has {finding.sightings} sightings"
            raise CliError(f"{has}, the sightings stream {sent.sightings}")

    @contextmanager
    def _worker(self) -> Iterator[PresenceWorker]:
        """Started early, as the first one of an application waits up to half a minute for others."""
        worker = PresenceWorker(presence.environment(self.scene.runtime), self.scene.folder)
        with ExitStack() as running:
            if presence.missing() is None:
                worker.start()
                running.callback(worker.kill)
            yield worker
