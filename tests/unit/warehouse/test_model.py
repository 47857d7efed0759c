"""SQL as it lies in files: statements, the order of migrations, and what a warehouse still needs."""

import json

import pytest

from sightline.errors import RejectedError
from sightline.warehouse.model import Applied, read_migrations, row_line, statements_of, still_to_apply

FILES = {"001_first.sql": "CREATE TABLE a (x INT);", "002_second.sql": "CREATE TABLE b (x INT);\n"}


def applied(*names: str, checksum: str | None = None) -> list[Applied]:
    known = {each.name: each for each in read_migrations(FILES)}
    return [Applied(known[name].version, name, checksum or known[name].checksum) for name in names]


def test_statements_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    text = "-- one; two;\nSELECT ';' AS a\nFROM t;\n\n  -- three\nDELETE FROM t;  \n"
    assert statements_of(text) == ("SELECT ';' AS a\nFROM t", "DELETE FROM t")


def test_a_name_in_braces_is_filled_in_and_must_be_known() -> None:
    assert statements_of("COPY t FROM '${FILES}a';", FILES="s3://b/") == ("COPY t FROM 's3://b/a'",)
    with pytest.raises(KeyError):
        statements_of("DELETE FROM t WHERE x < ${DAYS};")


@pytest.mark.parametrize("name", ["1_a.sql", "001-a.sql", "001_A.sql", "001_a.txt"])
def test_a_file_with_another_kind_of_name_is_refused(name: str) -> None:
    with pytest.raises(RejectedError, match="must be like"):
        read_migrations({name: "SELECT 1;"})


@pytest.mark.parametrize("names", [("002_b.sql",), ("001_a.sql", "003_c.sql"), ("001_a.sql", "001_b.sql")])
def test_numbers_with_a_gap_or_twice_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(RejectedError, match="numbered 1, 2, 3"):
        read_migrations(dict.fromkeys(names, "SELECT 1;"))


def test_what_is_not_applied_yet_is_applied_in_order() -> None:
    known = read_migrations(FILES)
    assert still_to_apply(known, []) == known
    assert still_to_apply(known, applied("001_first.sql")) == known[1:]
    assert still_to_apply(known, applied("001_first.sql", "002_second.sql")) == ()


def test_a_file_that_was_changed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(RejectedError, match=r"001_first\.sql was changed after it had been applied"):
        still_to_apply(read_migrations(FILES), applied("001_first.sql", checksum="0" * 64))


def test_a_file_that_comes_too_late_is_refused() -> None:
    with pytest.raises(RejectedError, match=r"001_first\.sql was left out"):
        still_to_apply(read_migrations(FILES), applied("002_second.sql"))


def test_a_warehouse_ahead_of_its_files_is_left_alone_so_that_a_deployment_can_be_rolled_back() -> None:
    newer = [*applied("001_first.sql", "002_second.sql"), Applied(3, "003_third.sql", "1" * 64)]
    assert still_to_apply(read_migrations(FILES), newer) == ()


def test_a_record_becomes_one_line_that_says_the_same() -> None:
    ids = '{"sighting_id": "si-1", "device_id": "gate-3",\n'
    record = f'{ids} "person_name": "Zoë\\n",\n "similarity": 99.50, "site": null}}'.encode()
    line = row_line(record)
    assert line is not None
    assert line.count(b"\n") == 1
    assert json.loads(line) == json.loads(record)


@pytest.mark.parametrize("record", [b"", b'{"a": ', b"[1]", b'"text"', b"\xff", b"null", b"[" * 100_000])
def test_a_record_that_is_no_json_object_is_no_row(record: bytes) -> None:
    assert row_line(record) is None


@pytest.mark.parametrize("name", ["sighting_id", "device_id"])
@pytest.mark.parametrize("value", ["", None, 7, ["si-1"]])
def test_a_record_without_an_id_that_is_a_text_is_no_row(name: str, value: object) -> None:
    ids = {"sighting_id": "si-1", "device_id": "gate-3"}
    assert row_line(json.dumps(ids).encode()) is not None

    assert row_line(json.dumps(ids | {name: value}).encode()) is None
    assert row_line(json.dumps({each: ids[each] for each in ids if each != name}).encode()) is None
