"""Functions that misbehave: each fails as on Lambda, and never takes the runtime or a neighbour down."""

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sightline_local.functions.spec import InvokeResult

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells who started whom")
NEIGHBOUR = "import time\ndef handle(event, context):\n    time.sleep(event)\n    return 'well'\n"


def answer(result: InvokeResult) -> Any:
    return json.loads(result.payload)


def log_of(cloud: Any, name: str) -> str:
    return str(cloud.functions.log_path(name).read_text())


def ended(pid: int) -> bool:
    """A zombie, too: whoever adopted it is not ours to test."""
    return state_of(pid) in ("", "Z")


def state_of(pid: int) -> str:
    """One letter, as `ps` shows it; empty when there is no such process."""
    return (_stat(pid) or [""])[0]


def cpu_ticks_of(pid: int) -> int:
    return sum(map(int, _stat(pid)[11:13]))


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


@pytest.fixture
def neighbour(cloud: Any) -> Any:
    """A function that is busy during the test: `neighbour(seconds)` gives its answer later."""
    cloud.function("neighbour", NEIGHBOUR)
    cloud.functions.invoke("neighbour", b"0")
    with ThreadPoolExecutor(1) as threads:
        yield lambda seconds: threads.submit(
            lambda: answer(cloud.functions.invoke("neighbour", json.dumps(seconds).encode()))
        )


# ---------------------------------------------------------------- memory

EATER = """
kept = []
def handle(megabytes, context):
    while megabytes:
        kept.append(b"x" * (10 << 20))
        megabytes -= 10
    return "enough"
"""


def test_a_function_that_eats_memory_is_killed_and_its_neighbour_is_not(cloud: Any, neighbour: Any) -> None:
    cloud.function("eater", EATER, memory_mb=256)
    busy = neighbour(1)

    result = cloud.functions.invoke("eater", b"100000")

    said = f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed"
    assert answer(result) == {"errorType": "Runtime.OutOfMemory", "errorMessage": said}
    log = log_of(cloud, "eater")
    assert f"{said}\n" in log
    assert re.search(
        r"Memory Size: 256 MB\tMax Memory Used: 256 MB\t.*\tStatus: error\tError Type: Runtime.OutOfMemory\n",
        log,
    )
    assert busy.result(timeout=5) == "well"


def test_a_function_that_was_killed_starts_anew(cloud: Any) -> None:
    cloud.function("eater", EATER, memory_mb=256)

    cloud.functions.invoke("eater", b"1000")

    assert answer(cloud.functions.invoke("eater", b"10")) == "enough"


def test_memory_that_comes_and_goes_within_a_moment_counts(cloud: Any) -> None:
    cloud.function("quick", "def handle(e, c): return len(b'x' * (150 << 20))\n", memory_mb=128)

    result = cloud.functions.invoke("quick", b"{}")

    assert answer(result)["errorType"] == "Runtime.OutOfMemory"


def test_memory_below_the_limit_is_nobodys_business(cloud: Any) -> None:
    cloud.function("modest", "def handle(e, c): return len(b'x' * (100 << 20))\n", memory_mb=256)

    result = cloud.functions.invoke("modest", b"{}")

    assert answer(result) == 100 << 20
    used = int(re.findall(r"Max Memory Used: (\d+) MB", log_of(cloud, "modest"))[0])
    assert 130 < used < 256


PARENT_OF_EATER = """
import subprocess, sys
def handle(event, context):
    subprocess.run([sys.executable, "-c", "import time; kept = b'x' * (300 << 20); time.sleep(30)"])
"""


@LINUX_ONLY
def test_memory_of_processes_that_a_function_starts_counts(cloud: Any) -> None:
    cloud.function("parent", PARENT_OF_EATER, memory_mb=256, timeout_seconds=20)

    result = cloud.functions.invoke("parent", b"{}")

    assert answer(result)["errorType"] == "Runtime.OutOfMemory"


FORKED = """
import os, time
kept = b"x" * (120 << 20)
def handle(event, context):
    children = [os.fork() for _ in range(1)]
    if 0 in children:
        time.sleep(0.5)
        os._exit(0)
    os.waitpid(children[0], 0)
    return "one copy"
"""


@LINUX_ONLY
def test_pages_that_a_function_shares_with_its_children_count_once(cloud: Any) -> None:
    cloud.function("forked", FORKED, memory_mb=256)

    assert answer(cloud.functions.invoke("forked", b"{}")) == "one copy"


# ---------------------------------------------------------------- output


def test_megabytes_of_output_neither_block_the_function_nor_fill_our_memory(
    cloud: Any, neighbour: Any
) -> None:
    source = "def handle(lines, c):\n    for n in range(lines): print(n, 'x' * 1000)\n    return 'said'\n"
    cloud.function("talker", source)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    busy = neighbour(0.2)

    assert answer(cloud.functions.invoke("talker", b"30000")) == "said"

    assert busy.result(timeout=5) == "well"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KB, of 30 MB that were said
    files = list(cloud.functions.log_path("talker").parent.glob("talker.log*"))
    assert sorted(file.name for file in files) == ["talker.log", "talker.log.1"]
    assert sum(file.stat().st_size for file in files) <= 20 << 20
    assert " 29999 xxx" in log_of(cloud, "talker")


def test_a_line_without_end_does_not_fill_our_memory(cloud: Any) -> None:
    source = "import os\ndef handle(e, c):\n    while True: os.write(1, b'x' * 60000)\n"
    cloud.function("endless", source, timeout_seconds=1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    result = cloud.functions.invoke("endless", b"{}")

    assert answer(result)["errorType"] == "Sandbox.Timedout"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def test_what_a_function_prints_is_in_the_log_while_it_still_runs(
    cloud: Any, until: Callable[..., Any]
) -> None:
    cloud.function("slow", "import time\ndef handle(e, c):\n    print('begun')\n    time.sleep(1)\n")
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(cloud.functions.invoke, "slow", b"{}")
        until(lambda: " begun\n" in log_of(cloud, "slow"))

        assert not under_way.done()


def test_a_last_line_without_a_newline_is_ended_by_us(cloud: Any) -> None:
    cloud.function("short", "import sys\ndef handle(e, c): sys.stdout.write('no end')\n")

    cloud.functions.invoke("short", b"{}")

    assert " no end\n" in log_of(cloud, "short")


# ---------------------------------------------------------------- processes

DAEMON = """
import os, time
def handle(event, context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open("daemon", "w") as file: file.write(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    os.wait()
    while event == "hang": time.sleep(1)
    while not os.path.exists("daemon") or not open("daemon").read(): time.sleep(0.01)
    if event == "crash": os._exit(7)
    return int(open("daemon").read())
"""


@LINUX_ONLY
@pytest.mark.parametrize("event", ["hang", "crash"])
def test_processes_that_hide_from_their_function_end_with_it(
    cloud: Any, until: Callable[..., Any], event: str
) -> None:
    cloud.function("daemon", DAEMON, timeout_seconds=1)

    assert cloud.functions.invoke("daemon", json.dumps(event).encode()).error

    pid = int((cloud.folder / "daemon" / "daemon").read_text())
    until(lambda: ended(pid))


@LINUX_ONLY
def test_a_process_in_the_background_lives_as_long_as_its_warm_function(
    cloud: Any, until: Callable[..., Any]
) -> None:
    cloud.function("daemon", DAEMON)

    pid = answer(cloud.functions.invoke("daemon", b'"stay"'))

    time.sleep(0.1)
    assert not ended(pid)
    cloud.functions.remove("daemon")
    until(lambda: ended(pid))


BACKGROUND = """
import os, threading, time
beats = 0
def beat():
    global beats
    while True:
        time.sleep(0.001)
        beats += 1
threading.Thread(target=beat, daemon=True).start()
def handle(event, context):
    time.sleep(0.1)
    return [os.getpid(), beats]
"""


@LINUX_ONLY
def test_an_idle_function_is_frozen_and_goes_on_with_the_next_invocation(
    cloud: Any, until: Callable[..., Any]
) -> None:
    cloud.function("background", BACKGROUND)
    pid, _ = answer(cloud.functions.invoke("background", b"{}"))

    until(lambda: state_of(pid) == "T")
    before = cpu_ticks_of(pid)
    time.sleep(0.2)
    assert cpu_ticks_of(pid) == before

    again, beats = answer(cloud.functions.invoke("background", b"{}"))
    assert again == pid
    assert answer(cloud.functions.invoke("background", b"{}"))[1] > beats


@LINUX_ONLY
def test_a_frozen_function_ends_with_its_runtime(cloud: Any, until: Callable[..., Any]) -> None:
    cloud.function("background", BACKGROUND)
    pid, _ = answer(cloud.functions.invoke("background", b"{}"))
    until(lambda: state_of(pid) == "T")

    cloud.functions.remove("background")

    until(lambda: ended(pid))


THREADS = """
import threading, time
def handle(event, context):
    threading.stack_size(65536)
    for _ in range(1100): threading.Thread(target=time.sleep, args=[30], daemon=True).start()
    time.sleep(30)
"""


def test_a_function_with_more_than_1024_threads_is_ended(cloud: Any, neighbour: Any) -> None:
    cloud.function("many", THREADS, timeout_seconds=20, memory_mb=512)
    busy = neighbour(0.3)

    result = cloud.functions.invoke("many", b"{}")

    assert answer(result)["errorType"] == "Runtime.ExitError"
    assert busy.result(timeout=5) == "well"


FORKS = """
import os, time
def handle(event, context):
    end = time.time() + 0.5
    while time.time() < end: os.fork()
    time.sleep(30)
"""


@LINUX_ONLY
def test_a_function_that_forks_and_forks_leaves_its_neighbour_alone(
    cloud: Any, neighbour: Any, until: Callable[..., Any]
) -> None:
    cloud.function("forks", FORKS, timeout_seconds=1, memory_mb=1024)
    busy = neighbour(0.7)

    assert cloud.functions.invoke("forks", b"{}").error

    assert busy.result(timeout=5) == "well"
    parent = cloud.functions._parent._process.pid
    until(lambda: len(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()) <= 2)


WRITER = """
import os
def handle(event, context):
    for descriptor in range(3, 20 * event):
        try: os.write(descriptor, {0})
        except OSError: pass
    return "well"
"""


def test_a_function_has_1024_descriptors(cloud: Any) -> None:
    source = "import os\ndef handle(e, c):\n    while True: os.dup(1)\n"
    cloud.function("greedy", source)

    result = cloud.functions.invoke("greedy", b"{}")

    assert answer(result)["errorMessage"] == "[Errno 24] Too many open files"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(
            "import os\ndef handle(e, c):\n    if e: os.closerange(0, 200)\n    return 'well'\n",
            "Runtime exited",
            id="closes its descriptors",
        ),
        pytest.param(
            WRITER.format("bytes([255]) * 100"), "Runtime exited", id="writes into every descriptor"
        ),
        pytest.param(
            WRITER.format("bytes([0, 0, 0, 4, 0, 0, 0, 0]) + b'null'"),
            "Runtime exited",
            id="speaks frames of its own",
        ),
        pytest.param(
            "import os, signal\ndef handle(e, c):\n"
            "    if e: os.kill(os.getpid(), signal.SIGSTOP)\n    return 'well'\n",
            "Task timed out after 1.00 seconds",
            id="stops itself",
        ),
        pytest.param(
            "import signal, time\ndef handle(e, c):\n"
            "    for number in (1, 2, 3, 15): signal.signal(number, signal.SIG_IGN)\n"
            "    while e: time.sleep(9)\n    return 'well'\n",
            "Task timed out after 1.00 seconds",
            id="hangs, deaf to signals",
        ),
        pytest.param(
            "import ctypes\ndef handle(e, c):\n    if e: ctypes.string_at(0)\n    return 'well'\n",
            "signal: segmentation fault",
            id="crashes",
        ),
        pytest.param(
            "import sys\ndef handle(e, c):\n    def deep(n): return deep(n + 1)\n"
            "    return deep(0) if e else 'well'\n",
            "maximum recursion depth exceeded",
            id="recurses for ever",
        ),
        pytest.param(
            "def handle(e, c):\n    if e: raise ValueError('x' * 10_000_000)\n    return 'well'\n",
            "xxx",
            id="fails at great length",
        ),
    ],
)
def test_a_fault_is_an_error_of_its_invocation_alone(
    cloud: Any, neighbour: Any, source: str, message: str
) -> None:
    cloud.function("faulty", source, timeout_seconds=1)
    busy = neighbour(0.3)

    result = cloud.functions.invoke("faulty", b"1")

    assert result.error
    assert message in answer(result)["errorMessage"]
    assert busy.result(timeout=5) == "well"
    assert answer(cloud.functions.invoke("faulty", b"0")) == "well"


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import sys\nsys.exit(4)\n", "Runtime.ExitError", "exit status 4"),
        ("import os\nos._exit(5)\n", "Runtime.ExitError", "exit status 5"),
        ("kept = b'x' * (400 << 20)\n", "Runtime.OutOfMemory", "signal: killed"),
        (
            "import os\nos.closerange(0, 200)\nimport time\ntime.sleep(30)\n",
            "Runtime.ExitError",
            "Runtime exited",
        ),
    ],
    ids=["sys.exit", "os._exit", "memory", "descriptors"],
)
def test_a_fault_of_the_init_phase_is_told_by_every_invocation(
    cloud: Any, source: str, error_type: str, message: str
) -> None:
    cloud.function("stillborn", source + "def handle(e, c): return 1\n")

    for _ in range(2):
        result = cloud.functions.invoke("stillborn", b"{}")

        assert answer(result)["errorType"] == error_type
        assert message in answer(result)["errorMessage"]


def test_an_init_error_is_reported_in_the_log(cloud: Any) -> None:
    cloud.function("broken", "import nothing_like_that\n")

    cloud.functions.invoke("broken", b"{}")

    phase = r"Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"
    assert re.search(rf" INIT_REPORT Init Duration: [\d.]+ ms\t{phase}", log_of(cloud, "broken"))


LATE = "import time\ntime.sleep(0.5)\ndef handle(e, c): return c.get_remaining_time_in_millis()\n"


def test_an_init_phase_of_more_than_10_seconds_is_a_part_of_the_invocation(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline_local.functions.process._INIT_SECONDS", 0.2)
    cloud.function("patient", LATE, timeout_seconds=3)
    cloud.function("hasty", LATE, timeout_seconds=0.4)

    patient, hasty = (cloud.functions.invoke(name, b"{}") for name in ("patient", "hasty"))

    assert 1500 < answer(patient) < 2600
    (duration,) = re.findall(r"\tDuration: ([\d.]+) ms", log_of(cloud, "patient"))
    assert float(duration) > 500
    assert "Init Duration" not in log_of(cloud, "patient")
    assert answer(hasty)["errorType"] == "Sandbox.Timedout"


def test_an_init_phase_of_less_than_10_seconds_takes_no_time_from_the_invocation(cloud: Any) -> None:
    cloud.function("late", LATE, timeout_seconds=1)

    assert answer(cloud.functions.invoke("late", b"{}")) > 800


@LINUX_ONLY
def test_the_parent_of_all_sandboxes_is_replaced_when_a_function_kills_it(
    cloud: Any, neighbour: Any, until: Callable[..., Any]
) -> None:
    source = "import os, time\ndef handle(e, c):\n    os.kill(os.getppid(), 9)\n    time.sleep(9)\n"
    cloud.function("patricide", source, timeout_seconds=2)

    assert cloud.functions.invoke("patricide", b"{}").error

    until(lambda: neighbour(0).result(timeout=10) == "well")  # idle sandboxes end with their parent


# ---------------------------------------------------------------- a full disk


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_costs_lines_of_the_log_and_says_so_once(
    cloud: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.functions._log_dir.mkdir(exist_ok=True)
    (cloud.functions._log_dir / "talk.log").symlink_to("/dev/full")
    cloud.function("talk", "def handle(e, c):\n    print('hello')\n    return 'well'\n")

    results = [cloud.functions.invoke("talk", b"{}") for _ in range(3)]

    assert [answer(result) for result in results] == ["well"] * 3
    assert b"hello" in results[0].log_tail
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "talk.log: No space left on device; what the function prints is lost meanwhile"
    )
