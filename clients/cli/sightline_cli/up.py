"""`sightline up`: the whole stack on this machine until Ctrl-C."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel

from sightline_cli.errors import MisuseError
from sightline_cli.iam_report import check_writable, tell
from sightline_cli.interrupts import Interrupt, interruptible
from sightline_cli.local_stack import find_template, local_stack
from sightline_cli.temporary import check_room, temporary_folder

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime

FOREVER_SECONDS = 10.0 * 365 * 86400


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What was asked for on the command line."""

    template: Path | None
    api_port: int
    aws_port: int
    data_dir: Path | None
    parameters: Mapping[str, str]
    iam_report: Path | None
    as_json: bool


def read_parameters(given: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE, one each; MisuseError for anything else."""
    pairs = [each.partition("=") for each in given]
    for (name, sign, _), text in zip(pairs, given, strict=True):
        if not (name and sign):
            raise MisuseError(f"--parameter {text}: say NAME=VALUE")
    return {name: value for name, _, value in pairs}


def run_up(options: UpOptions) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    if options.iam_report is not None:
        check_writable(options.iam_report)
    if options.data_dir is not None:
        check_room(options.data_dir)
    with interruptible() as interrupt:
        try:
            _serve(interrupt, find_template(options.template, Path.cwd()), options)
        except KeyboardInterrupt:
            if not options.as_json:
                print("stopped")
            raise


def _serve(interrupt: Interrupt, template: Path, options: UpOptions) -> None:
    from sightline_local.runtime import RuntimeOptions  # noqa: PLC0415 - moto takes a second to import

    data_dir, iam_report, as_json = options.data_dir, options.iam_report, options.as_json
    console = Console(highlight=False, stderr=as_json)
    with (
        temporary_folder(interrupt) as folder,
        console.status("starting the stack") as status,
        local_stack(
            RuntimeOptions(
                template=template,
                parameters=options.parameters,
                api_port=options.api_port,
                aws_port=options.aws_port,
                log_dir=data_dir / "logs" if data_dir else folder,
                data_dir=data_dir,
            ),
            interrupt,
            status.update,
        ) as runtime,
    ):
        status.stop()
        _announce(runtime, console, as_json=as_json)
        try:
            interrupt.sleep(FOREVER_SECONDS)
        finally:
            if iam_report is not None:
                tell(runtime.iam_report(), iam_report, as_json=as_json)


def _announce(runtime: "Runtime", console: Console, *, as_json: bool) -> None:
    if runtime.kept_aside:
        told = ", ".join(runtime.kept_aside)
        console.print(
            f"kept aside, as the stack has no such resource now: {told}", markup=False, soft_wrap=True
        )
    if as_json:
        ready = {"api_url": runtime.api_url, "aws_url": runtime.aws_url, "outputs": dict(runtime.outputs)}
        if runtime.kept_aside:
            ready["kept_aside"] = list(runtime.kept_aside)
        print(json.dumps({"event": "ready", **ready}), flush=True)
        return
    places = f"""\
HTTP API       {runtime.api_url}
AWS endpoint   {runtime.aws_url}   (access key local, secret local)
function logs  {runtime.log_dir}"""
    if runtime.options.data_dir is not None:
        places += f"\nstate          {runtime.options.data_dir}"
    console.print(Panel.fit(places, title="Sightline is up", title_align="left"))
    # Outside the panel and unwrapped, to be copied.
    console.print(_next_commands(runtime), markup=False, soft_wrap=True)


def _next_commands(runtime: "Runtime") -> str:
    port = runtime.aws_url.rsplit(":", 1)[1]
    option = "" if port == "4566" else f" --aws-port {port}"
    body = '{"device_id": "gate-3", "name": "Gate 3", "site": "north"}'
    return f"""
  TOKEN=$(sightline token{option})
  curl -H "Authorization: Bearer $TOKEN" -d '{body}' {runtime.api_url}/devices
  sightline camera{option} --device gate-3 --file entrance.mp4
  sightline logs{option} -f
  eval "$(sightline env{option})"      # for the AWS CLI and SDKs

Ctrl-C stops it."""
