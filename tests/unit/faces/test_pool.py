import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest

from sightline_faces import FaceEngine, FacePool, Picture, PoolClosedError, WeightsError, WorkerError

ANSWER, CRASH, CRASH_ONCE, HANG, SLOW = 1, 2, 3, 4, 5
"""Orders of obedient_worker.py."""

Opens = Callable[..., FacePool]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opens]:
    """Open pools of obedient workers; afterwards none of their processes may be left."""
    pools: list[FacePool] = []

    def open_pool(workers: int = 1, deadline_seconds: float = 20.0) -> FacePool:
        command = [sys.executable, str(Path(__file__).with_name("obedient_worker.py")), str(tmp_path)]
        pools.append(FacePool(workers, deadline_seconds=deadline_seconds, command=command))
        return pools[-1]

    yield open_pool
    for pool in pools:
        pool.close()
    assert running(worker_pids(tmp_path)) == []


def order(what: int, width: int = 7) -> Picture:
    return np.zeros((what, width, 3), np.uint8)


def worker_pids(folder: Path) -> list[int]:
    return [int(path.name.removeprefix("pid-")) for path in folder.glob("pid-*")]


def running(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_no_process_is_started_before_there_is_work(opened: Opens, tmp_path: Path) -> None:
    pool = opened(workers=2)

    assert worker_pids(tmp_path) == []

    pool.submit(order(ANSWER)).result(20)
    assert len(worker_pids(tmp_path)) == 1


def test_warm_starts_every_worker(opened: Opens, tmp_path: Path) -> None:
    pool = opened(workers=3)

    pool.warm()
    pool.warm()

    assert len(running(worker_pids(tmp_path))) == 3


def test_everybody_gets_their_own_answer(opened: Opens) -> None:
    pool = opened(workers=2)

    results = [pool.submit(order(ANSWER, width)) for width in range(1, 60)]

    assert [result.result(20)[0].box.width for result in results] == list(range(1, 60))


def test_two_workers_work_at_the_same_time(opened: Opens) -> None:
    pool = opened(workers=2)
    pool.warm()
    started = time.monotonic()

    for result in [pool.submit(order(SLOW)) for _ in range(4)]:
        result.result(20)

    assert time.monotonic() - started < 4 * 0.3


def test_a_worker_that_crashes_is_replaced_and_its_picture_tried_again(opened: Opens, tmp_path: Path) -> None:
    pool = opened()

    faces = pool.submit(order(CRASH_ONCE, 11)).result(20)

    assert faces[0].box.width == 11
    assert len(worker_pids(tmp_path)) == 2


def test_a_picture_that_crashes_every_worker_fails_alone(opened: Opens, tmp_path: Path) -> None:
    pool = opened()
    bad, good = pool.submit(order(CRASH)), pool.submit(order(ANSWER))

    with pytest.raises(WorkerError, match="crashed, or did not answer"):
        bad.result(20)
    assert len(good.result(20)) == 1
    assert len(worker_pids(tmp_path)) == 3


def test_a_worker_that_hangs_is_ended_at_the_deadline(opened: Opens) -> None:
    pool = opened(deadline_seconds=0.2)

    with pytest.raises(WorkerError, match=r"within 0\.2 seconds"):
        pool.submit(order(HANG)).result(20)
    assert len(pool.submit(order(ANSWER)).result(20)) == 1


def test_a_worker_killed_while_it_was_idle_is_not_missed(opened: Opens, tmp_path: Path) -> None:
    pool = opened()
    pool.warm()
    (pid,) = worker_pids(tmp_path)

    os.kill(pid, signal.SIGKILL)

    assert len(pool.submit(order(ANSWER)).result(20)) == 1


def test_a_worker_that_cannot_start_says_why(opened: Opens, tmp_path: Path) -> None:
    (tmp_path / "cannot-start").touch()
    pool = opened(workers=2)

    with pytest.raises(WeightsError, match="the weights are missing"):
        pool.warm()
    with pytest.raises(WeightsError, match="the weights are missing"):
        pool.submit(order(ANSWER)).result(20)


def test_a_pool_that_could_not_start_works_once_the_cause_is_gone(opened: Opens, tmp_path: Path) -> None:
    (tmp_path / "cannot-start").touch()
    pool = opened()
    with pytest.raises(WeightsError):
        pool.warm()

    (tmp_path / "cannot-start").unlink()

    assert len(pool.submit(order(ANSWER)).result(20)) == 1


def test_close_ends_everything_at_once(opened: Opens, tmp_path: Path) -> None:
    pool = opened(workers=2)
    pool.warm()
    results = [pool.submit(order(HANG)) for _ in range(5)]
    eventually(lambda: sum(result.running() for result in results) == 2)
    started = time.monotonic()

    pool.close()

    assert time.monotonic() - started < 2
    assert all(isinstance(result.exception(0), PoolClosedError) for result in results)
    assert running(worker_pids(tmp_path)) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("faces-")]


def test_a_closed_pool_takes_no_more_pictures(opened: Opens) -> None:
    pool = opened()
    pool.close()
    pool.close()

    with pytest.raises(PoolClosedError):
        pool.submit(order(ANSWER))
    with pytest.raises(PoolClosedError):
        pool.warm()


def test_a_picture_cancelled_while_it_waits_is_not_analysed(opened: Opens) -> None:
    pool = opened()
    pool.warm()
    busy, waiting, last = pool.submit(order(SLOW)), pool.submit(order(CRASH)), pool.submit(order(ANSWER))

    assert waiting.cancel()

    assert len(busy.result(20)) == len(last.result(20)) == 1
    with pytest.raises(CancelledError):
        waiting.result(0)


def test_what_is_no_picture_is_refused_at_once(opened: Opens, tmp_path: Path) -> None:
    pool = opened()

    with pytest.raises(ValueError, match="height x width x 3"):
        pool.submit(np.zeros((5, 5), np.uint8))
    with pytest.raises(ValueError, match="too small"):
        FacePool(min_face_px=1)
    assert worker_pids(tmp_path) == []


def test_a_thread_that_ends_takes_no_worker_with_it(opened: Opens, tmp_path: Path) -> None:
    pool = opened()
    warmer = threading.Thread(target=pool.warm)
    warmer.start()
    warmer.join()

    pool.submit(order(ANSWER)).result(20)

    assert len(worker_pids(tmp_path)) == 1


def test_real_workers_see_what_the_engine_sees(
    engine: FaceEngine, face_cache: Path, astronaut: Picture
) -> None:
    (expected,) = engine.analyse(astronaut, largest_only=True, photo=True)

    with FacePool(1, cache_dir=face_cache) as pool:
        (found,) = pool.submit(astronaut, largest_only=True, photo=True).result(60)

    assert found == expected
    assert expected.descriptor is not None
    assert np.array_equal(found.descriptor, expected.descriptor)  # type: ignore[arg-type]


PARENT = """
import signal, sys, time
from pathlib import Path
from sightline_faces import FacePool
# Whoever runs the tests in the background has Ctrl-C ignored, by all that is started from there.
signal.signal(signal.SIGINT, signal.default_int_handler)
pool = FacePool(2, cache_dir=Path(sys.argv[1]))
pool.warm()
print(*(lane.worker._process.pid for lane in pool._lanes), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_worker_outlives_its_parent(face_cache: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(face_cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(running(pids)) == 2

        parent.send_signal(how)
        parent.wait(20)

    eventually(lambda: running(pids) == [])


def test_a_worker_without_its_parent_ends_by_itself(face_cache: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sightline_faces.worker",
        "--parent",
        "1",
        "--cache-dir",
        str(face_cache),
    ]

    ended = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
