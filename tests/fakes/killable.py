"""A runtime in a process of its own, to be ended by kill -9 and started again."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_RUN = """
import sys, time
from pathlib import Path
from sightline_local.runtime import Runtime, RuntimeOptions
folder, port = Path(sys.argv[1]), int(sys.argv[2])
options = RuntimeOptions(
    template=folder / "t.yaml", api_port=0, aws_port=port, face_workers=1, data_dir=folder / "data"
)
with Runtime(options):
    print("ready", flush=True)
    time.sleep(600)
"""


class Killable:
    """`t.yaml` in the folder is what it runs; always at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(self.folder), str(self.port)], stdout=subprocess.PIPE, text=True
        )
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self.child:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.communicate()
            self.child = None

    def client(self, service: str, url: str = "") -> Any:
        return boto3.client(
            service,
            endpoint_url=url or self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 5, "mode": "standard"}),
        )
