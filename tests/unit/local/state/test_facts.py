"""Facts: kept for good, all or nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sightline_local.state import Facts, FactsNotKeptError


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts.sqlite")
    yield facts
    facts.close()


def test_a_fact_is_what_was_put_last(facts: Facts) -> None:
    facts.put("item", "a", b"1")
    facts.put("item", "a", b"2")
    facts.put("other", "a", b"3")

    assert facts.get("item", "a") == b"2"
    assert facts.get("item", "b") is None
    assert facts.all("other") == [("a", b"3")]


def test_all_are_ordered_by_key_and_may_be_those_of_a_prefix(facts: Facts) -> None:
    keys = ["t_2/b", "t%1/b", "t%1/a", "tx1/a", "é/ü"]
    facts.put_many("item", [(key, key.encode()) for key in keys])

    assert [key for key, _ in facts.all("item")] == ["t%1/a", "t%1/b", "t_2/b", "tx1/a", "é/ü"]
    assert facts.all("item", prefix="t%1/") == [("t%1/a", b"t%1/a"), ("t%1/b", b"t%1/b")]
    assert facts.all("item", prefix="é/") == [("é/ü", "é/ü".encode())]


def test_deleting_takes_only_the_named_ones(facts: Facts) -> None:
    facts.put_many("item", [("a", b"1"), ("b", b"2"), ("c", b"3")])

    facts.delete("item", ["a", "c", "unknown"])

    assert facts.all("item") == [("b", b"2")]


def test_a_transaction_that_fails_leaves_everything_as_it_was(facts: Facts) -> None:
    facts.put("item", "a", b"1")

    def fail() -> None:
        with facts.transaction():
            facts.put("item", "a", b"2")
            facts.delete("item", ["a"])
            with facts.transaction():
                facts.put_many("item", [("b", b"2")])
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert facts.all("item") == [("a", b"1")]
    facts.put("item", "c", b"3")
    assert facts.get("item", "c") == b"3"


def test_put_many_whose_source_fails_puts_none(facts: Facts) -> None:
    def items() -> Iterator[tuple[str, bytes]]:
        yield "a", b"1"
        raise LookupError

    with pytest.raises(LookupError):
        facts.put_many("item", items())

    assert facts.all("item") == []


def test_threads_do_not_see_or_join_an_open_transaction(facts: Facts) -> None:
    def count_up() -> None:
        for _ in range(100):
            with facts.transaction():
                facts.put("item", "n", str(int(facts.get("item", "n") or 0) + 1).encode())

    threads = [Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert facts.get("item", "n") == b"400"


def test_what_was_put_is_there_after_kill_9(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sightline_local.state import Facts\n"
        "facts, n = Facts(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    facts.put_many('item', [(f'{n:06}', bytes(100)), (f'{n + 1:06}', bytes(100))]); n += 2\n"
        "    print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "facts.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 1000:
            pass
        os.kill(child.pid, signal.SIGKILL)
        whole_lines = child.stdout.read().rpartition("\n")[0]
        acknowledged = int(whole_lines.split()[-1]) if whole_lines else 1000

    facts = Facts(tmp_path / "facts.sqlite")
    kept = facts.all("item")
    facts.close()

    assert len(kept) >= acknowledged
    assert len(kept) % 2 == 0


def test_a_full_disk_is_one_clear_error_and_nothing_half_written(facts: Facts, tmp_path: Path) -> None:
    facts.put("item", "a", b"1")
    facts._db.execute("PRAGMA max_page_count = 12")

    with pytest.raises(FactsNotKeptError, match="no space left") as refused:
        facts.put_many("item", [("b", b"2"), ("c", bytes(100_000))])

    assert str(refused.value) == f"{tmp_path}: no space left on the disk"
    assert facts.all("item") == [("a", b"1")]


def test_closed_facts_refuse_what_they_cannot_keep(facts: Facts) -> None:
    facts.close()

    with pytest.raises(FactsNotKeptError):
        facts.put("item", "a", b"1")


def test_without_a_data_directory_nothing_is_kept() -> None:
    facts = Facts.none()
    with facts.transaction():
        facts.put("item", "a", b"1")
        facts.put_many("item", [("b", b"2")])
        facts.delete("item", ["a"])

    assert facts.get("item", "b") is None
    assert facts.all("item") == []
    assert facts.folder is None
    assert not facts.keeps
    facts.close()
