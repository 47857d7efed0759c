"""What is edited on disk is what the next invocation runs."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

COUNTER = "calls = 0\ndef handle(event, context):\n    global calls\n    calls += 1\n    return {0} + calls\n"


def call(cloud: Any, name: str, payload: bytes = b"{}") -> Any:
    return json.loads(cloud.functions.invoke(name, payload).payload)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_changed_handler_runs_at_the_next_invocation(cloud: Any) -> None:
    cloud.function("count", COUNTER.format(10))
    assert [call(cloud, "count") for _ in range(2)] == [11, 12]

    write(cloud.folder / "count" / "handler.py", COUNTER.format(20))  # as long, and within the same second

    assert [call(cloud, "count") for _ in range(2)] == [21, 22]


def test_a_changed_layer_runs_at_the_next_invocation_of_every_function_that_has_it(cloud: Any) -> None:
    layer = cloud.folder / "layer"
    write(layer / "python" / "shelf" / "book.py", "TITLE = 'first'\n")
    for name in ("one", "two"):
        source = "from shelf import book\ndef handle(e, c): return book.TITLE\n"
        cloud.function(name, source, layer_dirs=(layer,))
        assert call(cloud, name) == "first"

    write(layer / "python" / "shelf" / "book.py", "TITLE = 'other'\n")

    assert [call(cloud, "one"), call(cloud, "two")] == ["other", "other"]


def test_a_module_that_is_added_or_removed_is_a_change(cloud: Any) -> None:
    find = "from importlib.util import find_spec\nthere = bool(find_spec('extra'))\n"
    source = find + "def handle(e, c): return there\n"
    cloud.function("look", source)
    assert call(cloud, "look") is False
    extra = cloud.folder / "look" / "extra.py"

    write(extra, "")
    assert call(cloud, "look") is True

    extra.unlink()
    assert call(cloud, "look") is False


def test_a_file_that_came_with_the_code_is_a_part_of_it(cloud: Any) -> None:
    write(cloud.folder / "read" / "rules.json", "1")
    cloud.function("read", "rules = open('rules.json').read()\ndef handle(e, c): return rules\n")
    assert call(cloud, "read") == "1"

    write(cloud.folder / "read" / "rules.json", "2")

    assert call(cloud, "read") == "2"


def test_what_a_function_writes_into_its_own_folder_does_not_start_it_anew(cloud: Any) -> None:
    writing = "    open('note.txt', 'a').write('x')\n    return"
    cloud.function("note", COUNTER.format(0).replace("    return", writing))

    assert [call(cloud, "note") for _ in range(3)] == [1, 2, 3]


def test_code_that_cannot_be_read_fails_until_it_is_mended(cloud: Any) -> None:
    cloud.function("count", COUNTER.format(0))
    call(cloud, "count")

    write(cloud.folder / "count" / "handler.py", "def handle(e, c: return 1\n")
    assert call(cloud, "count")["errorType"] == "Runtime.UserCodeSyntaxError"

    write(cloud.folder / "count" / "handler.py", COUNTER.format(30))
    assert call(cloud, "count") == 31


def test_an_invocation_under_way_ends_with_the_code_that_it_began_with(
    cloud: Any, until: Callable[..., Any]
) -> None:
    body = "    open('begun', 'w').close()\n    time.sleep(0.3)\n    return {0}\n"
    source = "import time\ndef handle(e, c):\n" + body
    cloud.function("slow", source.format(1))
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(call, cloud, "slow")
        until((cloud.folder / "slow" / "begun").exists)

        write(cloud.folder / "slow" / "handler.py", source.format(2))

        assert call(cloud, "slow") == 2
        assert under_way.result(timeout=5) == 1
    assert call(cloud, "slow") == 2
