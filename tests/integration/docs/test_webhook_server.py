"""The receiver of docs/examples as a server."""

import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3


@pytest.fixture
def url() -> Iterator[str]:
    path = Path(__file__).resolve().parents[3] / "docs" / "examples" / "webhook.py"
    spec = importlib.util.spec_from_file_location("webhook_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.serve("arn:aws:sns:us-east-1:123456789012:alerts", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("body", "status"), [(b"{}", 403), (b"", 413), (b"x" * (1024 * 1024 + 1), 413)])
def test_what_is_not_from_sns_is_refused(url: str, body: bytes, status: int) -> None:
    assert urllib3.request("POST", url, body=body, retries=False).status == status
