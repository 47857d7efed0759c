"""The two networks as onnxruntime wants them: built once from dlib's weights, then kept in a cache."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from sightline_faces.weights import DETECTOR, EMBEDDER, WeightsFile

_log = logging.getLogger(__name__)

BUILDER_VERSION = 1
"""To be raised with every change of what is built, so that no old file is taken for a new one."""


@dataclass(frozen=True, slots=True)
class Network:
    """How a network is called in the cache, what it is made from, and who makes it."""

    name: str
    weights: WeightsFile
    build: Callable[[], bytes]

    def file_name(self) -> str:
        made_from = f"{self.weights.sha256} {BUILDER_VERSION}"
        return f"{self.name}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.onnx"


def _build_embedder() -> bytes:
    from sightline_faces.build import build_embedder  # noqa: PLC0415 (onnx is slow to import, and needed once)

    return build_embedder()


def _build_detector() -> bytes:
    from sightline_faces.build import build_detector  # noqa: PLC0415

    return build_detector()


EMBEDDER_NETWORK = Network("embedder", EMBEDDER, _build_embedder)
DETECTOR_NETWORK = Network("detector", DETECTOR, _build_detector)


def default_cache_dir() -> Path:
    return Path.home() / ".cache" / "sightline"


def cached(network: Network, cache_dir: Path | None = None) -> bytes:
    """The network, from the cache when an intact one is there, else built and kept for the next time.

    A folder that cannot be read or written costs time at every start, and nothing else.
    """
    path = (cache_dir or default_cache_dir()) / network.file_name()
    content = _intact(path)
    if content is None:
        content = network.build()
        _keep(path, content)
    return content


def _intact(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
        recorded = _digest_path(path).read_text("ascii", "replace").strip()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == recorded else None


def _keep(path: Path, content: bytes) -> None:
    # Two processes may build at once. Each renames complete files, and whoever reads one process's network
    # beside the other's digest finds that they disagree and builds it again.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_atomically(path, content)
        _write_atomically(_digest_path(path), hashlib.sha256(content).hexdigest().encode() + b"\n")
    except OSError as error:
        _log.warning(
            "a network is built anew at every start, as %s cannot hold it: %s", path.parent, error.strerror
        )


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _write_atomically(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix=path.name + ".", suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise
