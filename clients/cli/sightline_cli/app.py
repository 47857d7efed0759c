"""The commands. Each imports what it needs when it runs, so that `sightline --help` is quick."""
# ruff: noqa: PLC0415 - late imports on purpose

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sightline_cli.errors import FAILED, INTERRUPTED, MISUSED, CliError, explain, one_line
from sightline_cli.iam_report import with_its_file
from sightline_cli.options import AsJson, AwsPort, DeviceId, EndpointUrl, chosen_stack, of_a_stack

if TYPE_CHECKING:
    from sightline_cli.stack import Stack  # boto3 is slow to import

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
evidence = typer.Typer(help="What proves an alert: fetch it, and check that nobody changed it.")
app.add_typer(evidence, name="evidence")

Template = Annotated[
    Path | None, typer.Option("--template", help="The SAM template [default: the project's].")
]


@app.callback(invoke_without_command=True)
def sightline(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks (also SIGHTLINE_DEBUG=1).")] = False,
) -> None:
    """Know within seconds when a person on your watchlist walks past one of your cameras."""
    if debug:
        os.environ["SIGHTLINE_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(MISUSED)


@app.command()
def up(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the HTTP API; 0 for any.")] = 8080,
    aws_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the AWS endpoint; 0 for any.")
    ] = 4566,
    template: Template = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep the stack's state in this folder, and go on with it next time."
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter of the template; may be given again."),
    ] = None,
    iam_report: Annotated[
        Path | None,
        typer.Option(
            metavar="[FILE]",
            help="At the end, say what the policies allowed and nobody needed, and what was denied.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole stack on this machine until Ctrl-C."""
    from sightline_cli.up import UpOptions, read_parameters, run_up

    parameters = read_parameters(parameter or [])
    run_up(UpOptions(template, port, aws_port, data_dir, parameters, iam_report, as_json))


@app.command()
def reset(
    data_dir: Annotated[Path, typer.Option(metavar="DIR", help="The folder that `up --data-dir` keeps.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything that a local stack kept in its data directory."""
    from sightline_cli.reset import run_reset

    run_reset(data_dir, sure=yes)


@app.command()
def demo(
    video: Annotated[
        Path | None, typer.Option(help="An H.264 video [default: a clip made on the spot].")
    ] = None,
    person: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PHOTO", help="Who is to be recognised; repeatable.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Leave evidence, face records and logs here.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Then ask lake, warehouse, Flink, presence.")] = False,
    template: Template = None,
    as_json: AsJson = False,
) -> None:
    """See a face in a video become an alert, start to finish."""
    from sightline_cli.demo.command import run_demo

    people = tuple(person or ())
    code = run_demo(video=video, people=people, keep=keep, template=template, every=every, as_json=as_json)
    raise typer.Exit(code)


@app.command()
@of_a_stack
def camera(
    *,
    device: DeviceId,
    file: Annotated[Path, typer.Option(help="An H.264 video file; it is not encoded again.")],
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, until Ctrl-C.")] = False,
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Stream a video to a device in real time, as its camera would."""
    from sightline_cli.camera import run_camera

    run_camera(where, device_id=device, file=file, loop=loop, as_json=as_json)


@app.command()
@of_a_stack
def replay(
    *,
    records: Annotated[
        str, typer.Argument(metavar="RECORDS.jsonl", help="Face records, one a line; - for stdin.")
    ],
    device: DeviceId,
    speed: Annotated[
        float, typer.Option(min=0, help="10: ten times as fast as recorded; 0: no pauses.")
    ] = 1.0,
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Put face records from a file into a device's face stream."""
    from sightline_cli.replay_command import run_replay

    raise typer.Exit(run_replay(where, device_id=device, records=records, speed=speed, as_json=as_json))


@app.command()
@of_a_stack
def enrol(
    *,
    people: Annotated[Path, typer.Argument(metavar="PEOPLE.csv", help="The table of people (docs/cli.md).")],
    photos: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder of the photos that the table names.")
    ],
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Enrol people from a table, with their photos; doing it again changes nothing."""
    from sightline_cli.enrol.command import run_enrol

    raise typer.Exit(run_enrol(where, people=people, photos=photos, as_json=as_json))


@app.command()
@of_a_stack
def watch(
    *,
    device: Annotated[str | None, typer.Option("--device", help="Only alerts of this device_id.")] = None,
    severity: Annotated[
        str | None, typer.Option(help="Only alerts of this severity: low, medium, high or critical.")
    ] = None,
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Show each alert in the terminal as it comes, until Ctrl-C."""
    from sightline_cli.watch import run_watch

    run_watch(where, device_id=device, severity=severity, as_json=as_json)


@app.command()
@of_a_stack
def logs(
    *,
    functions: Annotated[
        list[str] | None, typer.Argument(metavar="FUNCTION", help="Names in the template [default: all].")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as they come, until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back: 90s, 10m, 2h, 1d, or a time.")] = "1h",
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Show what the functions print."""
    from sightline_cli.logs import run_logs

    run_logs(where, functions=functions or [], since=since, follow=follow, as_json=as_json)


@app.command()
@of_a_stack
def query(
    *,
    sql: Annotated[
        str | None, typer.Argument(metavar="SQL", help='As Athena takes it, FROM sightings; "-" for stdin.')
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A file with the question: analytics/athena has some.")
    ] = None,
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Ask the lake of a local stack: every sighting, in SQL."""
    from sightline_cli.query.command import run_query

    run_query(where, sql=sql, file=file, as_json=as_json)


@app.command("flink-demo")
def flink_demo(*, template: Template = None, as_json: AsJson = False) -> None:
    """See the streaming SQL at work on a local stack: ten minutes of sightings, and what it says of them."""
    from sightline_cli.downstream.flink_demo import run_flink_demo

    run_flink_demo(template=template, as_json=as_json)


@evidence.command("verify")
def verify_evidence(
    folder: Annotated[Path, typer.Argument(help="The files of one alert and their manifest.json.")],
    as_json: AsJson = False,
) -> None:
    """Recompute the hash of every file; exit code 1 when one was changed or is missing."""
    from sightline_cli.evidence.command import run_verify

    raise typer.Exit(run_verify(folder, as_json=as_json))


@evidence.command("fetch")
@of_a_stack
def fetch_evidence(
    *,
    alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID", help="As the alert names itself.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Its folder ALERT_ID is made in here.")] = Path(),
    where: "Stack",
    as_json: AsJson = False,
) -> None:
    """Get the evidence of an alert from the stack's bucket, and verify it."""
    from sightline_cli.evidence.command import run_fetch

    raise typer.Exit(run_fetch(where, alert_id=alert_id, to=to, as_json=as_json))


@app.command()
@of_a_stack
def token(*, where: "Stack") -> None:
    """Print an access token for the HTTP API, valid for an hour."""
    from sightline_cli.tokens import new_token

    typer.echo(new_token(where))


@app.command()
def env(aws_port: AwsPort = None, endpoint_url: EndpointUrl = None) -> None:
    """Print what points AWS tools at the local stack, for eval."""
    from sightline_cli.environment import export_lines

    where = chosen_stack(
        aws=False, aws_port=aws_port, endpoint_url=endpoint_url, region=None, stack_name="sightline"
    )
    typer.echo("\n".join(export_lines(where.target)))


def main(arguments: list[str]) -> int:
    """Run a command; give the exit code. Every failure is one line on stderr."""
    if "--debug" in arguments:
        os.environ["SIGHTLINE_DEBUG"] = "1"
        arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        code = app(with_its_file(arguments), prog_name="sightline", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not fail on flushing it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except typer.TyperException as error:
        return _fail(error, one_line(error.format_message()), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last line of defence between a traceback and the user
        line = (
            explain(error)
            or one_line(f"unexpected {type(error).__name__}: {error}") + " (--debug shows more)"
        )
        return _fail(error, line, error.exit_code if isinstance(error, CliError) else FAILED)
    return code if isinstance(code, int) else 0


def _fail(error: Exception, line: str, code: int) -> int:
    if os.environ.get("SIGHTLINE_DEBUG"):
        traceback.print_exception(error)
    print(f"sightline: {line}", file=sys.stderr)
    return code
