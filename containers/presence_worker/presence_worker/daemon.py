"""Start the daemon of the KCL with this environment: `python -m presence_worker.daemon`, on AWS as here."""

import os
import sys
import tempfile
from pathlib import Path

from presence_worker.environment import WorkerSettings
from sightline.settings import SettingsError

_HERE = Path(__file__).parent
_MAIN_CLASS = "software.amazon.kinesis.multilang.MultiLangDaemon"
_HEAP = "256m"  # measured: docs/decisions/0026


def main() -> None:
    """Become the daemon: signals reach it, and who waits for us waits for it."""
    try:
        settings = WorkerSettings.from_env()
    except SettingsError as error:
        sys.exit(f"The presence worker cannot start: {error}")
    # The daemon splits the command at each space, and a folder's name may have some: it finds Python by PATH.
    python = Path(sys.executable)
    os.environ["PATH"] = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    properties = Path(tempfile.mkdtemp(prefix="presence-worker-"), "kcl.properties")
    properties.write_text(render(settings, f"{python.name} -m presence_worker"))
    command = command_of(properties, _jars())
    try:
        os.execvp(command[0], command)  # noqa: S606  there is no shell to be without
    except FileNotFoundError:
        sys.exit("The presence worker needs Java 17 or newer: java is not on the PATH")


def command_of(properties: Path, jars: Path) -> list[str]:
    return [
        "java", f"-Xmx{_HEAP}",
        # Its own jars have other configurations of the same name.
        f"-Dlogback.configurationFile={_HERE / 'logback.xml'}",
        "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
        "-cp", f"{jars}/*", _MAIN_CLASS, "--properties-file", str(properties),
    ]  # fmt: skip


def render(settings: WorkerSettings, executable: str) -> str:
    """The properties that are the same everywhere, and those of this worker."""
    failover = settings.presence_failover_seconds * 1000
    of_this_worker = {
        "executableName": executable,
        "streamName": settings.sightings_stream,
        "applicationName": settings.presence_application,
        "regionName": settings.aws_region,
        "failoverTimeMillis": failover,
        "leaseAssignmentIntervalMillis": failover,
        "idleTimeBetweenReadsInMillis": settings.presence_idle_milliseconds,
    }
    lines = [f"{name} = {value}\n" for name, value in of_this_worker.items()]
    return (_HERE / "kcl.properties").read_text() + "".join(lines)


def _jars() -> Path:
    """Where amazon_kclpy keeps the KCL."""
    import amazon_kclpy  # noqa: PLC0415  only this needs it

    return Path(amazon_kclpy.__file__).parent / "jars"


if __name__ == "__main__":
    main()
