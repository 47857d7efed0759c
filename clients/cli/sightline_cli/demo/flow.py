"""The main job, start to finish: from an empty machine to an alert with its evidence, and back."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sightline_cli.api import ApiClient
from sightline_cli.camera_session import device_session
from sightline_cli.demo.alerts import Inbox, ReceivedAlert, subscribed
from sightline_cli.demo.analysis import Analysis, Sightings
from sightline_cli.demo.clip import write_demo_clip
from sightline_cli.demo.device import DeviceWatch, face_stream_name, streams_left
from sightline_cli.demo.evidence import collect
from sightline_cli.demo.people import Enrolment, enrol, own_enrolment, read_enrolment
from sightline_cli.demo.records import FaceRecords
from sightline_cli.demo.report import Outcome, Report, Step
from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.demo.viewer import Viewer
from sightline_cli.downstream.parameters import EVERY_CONSUMER
from sightline_cli.downstream.scene import Scene
from sightline_cli.errors import CliError, MisuseError
from sightline_cli.interrupts import Interrupt
from sightline_cli.local_stack import local_stack
from sightline_cli.stack import Stack, Target
from sightline_cli.streaming import streaming
from sightline_cli.temporary import check_room, temporary_folder
from sightline_cli.tokens import api_of
from sightline_cli.video_file import check_video
from sightline_local.clock import Clock
from sightline_local.runtime import RuntimeOptions

DEVICE_ID, DEVICE_NAME, SITE = "demo-entrance", "Entrance", "Demo"
STREAMS_GONE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the user asked for."""

    template: Path
    video: Path | None = None
    people: tuple[str, ...] = ()
    keep: Path | None = None
    results: Path = Path("build/demo")
    every_consumer: bool = False

    def enrolments(self) -> list[Enrolment]:
        if self.video is None and not self.people:
            return [own_enrolment()]
        if not self.people:
            raise MisuseError(
                "--video needs at least one --person NAME=PHOTO: nobody else could be recognised"
            )
        return [read_enrolment(text) for text in self.people]


@dataclass
class Demo:
    """One run; every public thing it makes is gone at the end, but for the evidence."""

    options: DemoOptions
    report: Report
    interrupt: Interrupt
    started: datetime
    began: float
    outcome: Outcome = field(default_factory=Outcome)
    _scene: Scene | None = None

    def run(self) -> Outcome:
        """Run all steps; errors come out as exceptions, after everything was cleaned up."""
        enrolments = self.options.enrolments()
        if self.options.video is not None:
            check_video(self.options.video)
        check_room(self._folder)
        with ExitStack() as resources:
            workspace = resources.enter_context(temporary_folder(self.interrupt))
            clip = resources.enter_context(self._video(workspace))
            stack = self._start_stack(resources, workspace)
            api = api_of(stack)
            self._enrol(api, enrolments)
            self._watch(stack, api, clip.result())
            self._ask_every_consumer()
            self.report.stage("stopping the stack")
        self.outcome.seconds = time.monotonic() - self.began
        self.report.summary(self.outcome)
        return self.outcome

    # ------------------------------------------------------------------ steps

    def _start_stack(self, resources: ExitStack, workspace: Path) -> Stack:
        with self._step("stack") as step:
            self.report.stage("starting the stack")
            log_dir = (self.options.keep or workspace) / "logs"
            every, clock = self.options.every_consumer, Clock()
            options = RuntimeOptions(
                template=self.options.template,
                parameters=EVERY_CONSUMER if every else {},
                api_port=0,
                aws_port=0,
                warm_faces=True,
                log_dir=log_dir,
                clock=clock,
            )
            runtime = resources.enter_context(local_stack(options, self.interrupt, self.report.stage))
            step.detail = f"the stack runs: API {runtime.api_url}, AWS endpoint {runtime.aws_url}"
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        if every:
            self._scene = Scene(runtime, stack, clock, self.interrupt, log_dir)
        return stack

    def _enrol(self, api: ApiClient, enrolments: list[Enrolment]) -> None:
        for enrolment in enrolments:
            with self._step("person") as step:
                self.report.stage(f"enrolling {enrolment.name}")
                enrol(api, enrolment)
                self.outcome.enrolled.append(enrolment.name)
                step.detail = f"{enrolment.name} enrolled from a photo"
            self.interrupt.check()

    def _watch(self, stack: Stack, api: ApiClient, video: Path) -> None:
        watch = DeviceWatch(api, DEVICE_ID, self.interrupt, self._on_state)
        with self._step("device") as step:
            self.report.stage("registering the device")
            device = watch.register(DEVICE_NAME, SITE)
            step.detail = f"device {DEVICE_ID} registered, provisioned and running"
        with streaming() as camera, subscribed(stack, "sightline-demo", camera.events) as inbox:
            on_alert = partial(self._on_alert, stack)
            viewer = Viewer(camera, self.report, self.interrupt, check_video(video), on_alert)
            self._stream(viewer, stack, api, video, device)
            self._await_analysis(viewer, inbox, stack, device)
        with self._step("removal") as step:
            self.report.stage("removing the device")
            watch.remove()
            # Deleting a stream takes a moment after the lifecycle asked for it.
            if not self.interrupt.wait_for(lambda: not streams_left(stack, device), STREAMS_GONE_SECONDS):
                left = " and ".join(streams_left(stack, device))
                raise CliError(f"the device is gone, but it left its {left} behind")
            step.detail = "the device and its streams are gone"

    def _stream(
        self, viewer: Viewer, stack: Stack, api: ApiClient, video: Path, device: dict[str, Any]
    ) -> None:
        with self._step("video") as step:
            self.report.stage("streaming in real time")
            viewer.camera.start(
                video,
                stream_arn=device["video_stream_arn"],
                session=device_session(api, DEVICE_ID, stack.target.region),
                endpoint_url=stack.target.endpoint_url,
            )
            viewer.follow()
            count = viewer.progress.persisted
            fragments = "1 fragment" if count == 1 else f"{count} fragments"
            step.detail = f"{fragments} streamed over PutMedia in real time"

    def _await_analysis(self, viewer: Viewer, inbox: Inbox, stack: Stack, device: dict[str, Any]) -> None:
        with self._step("analysis") as step:
            self.report.stage("waiting for the last frames to be analysed")
            kinesis = stack.client("kinesis")
            faces = StreamReader(kinesis, face_stream_name(device))
            records = FaceRecords(faces, device["similarity_threshold"])
            sightings = Sightings(StreamReader(kinesis, stack.output("SightingsStreamName")))
            last = viewer.progress.fragment(viewer.camera.summary.last_fragment_number)
            Analysis(records, sightings, inbox, viewer, self.interrupt).await_end(last)
            step.detail = f"{len(records.lines)} frames analysed to the end of the video"
        if self.options.keep is not None:
            records.write(self._folder / "face-records.jsonl")

    def _ask_every_consumer(self) -> None:
        if self._scene is not None:
            from sightline_cli.demo.downstream import Downstream  # noqa: PLC0415 - DuckDB takes its time

            Downstream(self._scene, self.report, self.add_step).show()

    # ------------------------------------------------------------------ around them

    @property
    def _folder(self) -> Path:
        return self.options.keep or self.options.results / f"{self.started:%Y%m%d-%H%M%S}"

    @contextmanager
    def _video(self, workspace: Path) -> Iterator["Future[Path]"]:
        """Give the video, which is made while the stack starts."""

        def make() -> Path:
            if self.options.video is not None:
                return self.options.video
            keep = self.options.keep
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
            clip = (keep or workspace) / "demo.mkv"
            write_demo_clip(clip, self.interrupt.check)
            return clip

        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="clip") as executor:
            yield executor.submit(make)

    @contextmanager
    def _step(self, name: str) -> Iterator["_Detail"]:
        began, detail = time.monotonic(), _Detail()
        yield detail
        self.add_step(Step(name, detail.detail, f"{time.monotonic() - began:.1f} s"))

    def add_step(self, step: Step) -> None:
        self.outcome.steps.append(step)
        self.report.done(step)

    def _on_state(self, device: dict[str, Any]) -> None:
        self.report.event(
            "device",
            device_id=device["device_id"],
            state=device["state"],
            state_reason=device.get("state_reason"),
        )

    def _on_alert(self, stack: Stack, received: ReceivedAlert, video_seconds: float) -> None:
        """Show an alert at once, and then its evidence."""
        self.outcome.alerts += 1
        if received.person_name not in self.outcome.people:
            self.outcome.people.append(received.person_name)
        latency_ms = received.frame_to_alert_ms
        self.report.event(
            "alert", alert=received.alert, video_seconds=video_seconds, frame_to_alert_ms=latency_ms
        )
        what = f"{received.subject or received.person_name}: {video_seconds:.1f} s into the video"
        self.outcome.steps.append(Step("alert", what, f"{latency_ms} ms"))
        began = time.monotonic()
        evidence = collect(stack, received, self._folder / "evidence", self.interrupt)
        self.report.event("evidence", alert_id=evidence.alert_id, **evidence.paths())
        took = f"{time.monotonic() - began:.1f} s"
        self.outcome.steps.append(Step("evidence", str(evidence.frame), took))


@dataclass
class _Detail:
    detail: str = ""
