import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sightline_faces import BuildError, build
from sightline_faces.build import build_embedder, difference_from_dlib, fixed_chip
from sightline_faces.networks import DETECTOR_NETWORK, EMBEDDER_NETWORK, Network, cached, default_cache_dir
from sightline_faces.session import Session
from sightline_faces.weights import DETECTOR


class CountingBuilder:
    def __init__(self, content: bytes = b"a network") -> None:
        self.content = content
        self.builds = 0

    def __call__(self) -> bytes:
        self.builds += 1
        return self.content


def a_network(builder: CountingBuilder) -> Network:
    return Network("detector", DETECTOR, builder)


def test_a_network_is_built_once_and_then_read(tmp_path: Path) -> None:
    builder = CountingBuilder()

    first = cached(a_network(builder), tmp_path / "new" / "folder")
    second = cached(a_network(builder), tmp_path / "new" / "folder")

    assert first == second == b"a network"
    assert builder.builds == 1


def test_the_digest_stands_beside_the_network_and_no_part_is_left(tmp_path: Path) -> None:
    network = a_network(CountingBuilder())

    cached(network, tmp_path)

    digest = (tmp_path / f"{network.file_name()}.sha256").read_text().strip()
    assert digest == hashlib.sha256(b"a network").hexdigest()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["network", "digest", "digest is gone", "network is empty"])
def test_a_damaged_cache_is_built_anew(tmp_path: Path, damage: str) -> None:
    builder = CountingBuilder()
    network = a_network(builder)
    cached(network, tmp_path)
    path, digest = tmp_path / network.file_name(), tmp_path / f"{network.file_name()}.sha256"
    match damage:
        case "network":
            path.write_bytes(b"a netw0rk")
        case "network is empty":
            path.write_bytes(b"")
        case "digest":
            digest.write_bytes(b"\xff\xfe")
        case "digest is gone":
            digest.unlink()

    content = cached(network, tmp_path)

    assert content == b"a network"
    assert builder.builds == 2
    cached(network, tmp_path)
    assert builder.builds == 2


def test_other_weights_or_another_builder_have_another_file() -> None:
    names = {EMBEDDER_NETWORK.file_name(), DETECTOR_NETWORK.file_name()}
    same_name_other_weights = Network("embedder", DETECTOR, CountingBuilder()).file_name()

    assert len(names | {same_name_other_weights}) == 3


def test_a_folder_that_cannot_be_made_costs_a_build_each_time_and_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    builder = CountingBuilder()

    for builds in (1, 2):
        assert cached(a_network(builder), tmp_path / "file" / "below") == b"a network"
        assert builder.builds == builds

    assert len(caplog.records) == 2
    assert "is built anew at every start, as" in caplog.text


def test_a_full_disk_leaves_no_part_of_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    assert cached(a_network(CountingBuilder()), tmp_path) == b"a network"
    assert list(tmp_path.iterdir()) == []


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    code = "import sys, pathlib, sightline_faces as f; f.FaceEngine.load(pathlib.Path(sys.argv[1]))"
    builders = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]

    assert [builder.wait(120) for builder in builders] == [0, 0]
    assert not list(tmp_path.glob("*.part"))
    never = CountingBuilder()
    cached(Network("detector", DETECTOR, never), tmp_path)
    assert never.builds == 0


def test_the_default_folder_is_in_the_users_cache() -> None:
    assert default_cache_dir() == Path(os.path.expanduser("~")) / ".cache" / "sightline"  # noqa: PTH111


def test_building_twice_gives_the_same_bytes() -> None:
    assert build_embedder() == build_embedder()


def test_the_embedder_computes_what_dlib_computes() -> None:
    embed = Session(build_embedder())

    assert difference_from_dlib(embed) < 1e-5
    assert np.linalg.norm(embed(fixed_chip()[None])[0]) > 0.5


def test_a_network_that_disagrees_with_dlib_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "difference_from_dlib", lambda _: float("nan"))

    with pytest.raises(BuildError, match="disagree"):
        build_embedder()


def test_a_process_that_only_holds_a_pool_loads_no_network_library() -> None:
    code = "import sys, sightline_faces; print({'dlib', 'onnx', 'onnxruntime'} & set(sys.modules))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_network_library_reports_to_nobody(tmp_path: Path) -> None:
    code = "from sightline_faces.networks import *; from sightline_faces.session import Session; "
    code += "Session(cached(DETECTOR_NETWORK))"
    environment = {"HOME": str(Path.home()), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}

    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

    # Left alone, it keeps its session id and a device id where it may write.
    assert list(tmp_path.rglob("*")) == []
