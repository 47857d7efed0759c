"""The table of people that `sightline enrol` reads."""

from pathlib import Path

import pytest

from sightline_cli.enrol.people_file import Row, WrongRow, person_id_of, read_people
from sightline_cli.errors import CliError


def read(folder: Path, text: str | bytes) -> list[Row | WrongRow]:
    (folder / "people.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_people(folder / "people.csv")


def test_a_row_is_a_person_with_photos_and_what_is_known(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "person_id,name,photos,watchlists,notes,expires_at\n"
        'ada,Ada Lovelace,ada-1.jpg; ada-*.png,vip;staff,"says ""hello""",2026-12-31\n',
    )

    about = {
        "watchlist_ids": ["vip", "staff"],
        "notes": 'says "hello"',
        "expires_at": "2026-12-31T23:59:59.000Z",
    }
    assert rows == [Row(2, "ada", "Ada Lovelace", ("ada-1.jpg", "ada-*.png"), about)]


def test_a_table_of_excel_is_read_too(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "\ufeffname;photos;notes\r\nAda;ada.jpg;\r\n".encode())

    assert isinstance(row, Row)
    assert (row.name, row.photos, row.about) == ("Ada", ("ada.jpg",), {"notes": None})


def test_a_column_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "name,photos\nAda,ada.jpg\n")

    assert isinstance(row, Row)
    assert row.about == {}


def test_a_person_without_an_id_gets_the_same_one_every_time(tmp_path: Path) -> None:
    (first,) = read(tmp_path, "name,photos\nÅda Løvelace,a.jpg\n")

    assert isinstance(first, Row)
    assert first.person_id == person_id_of("Åda Løvelace") == "ada-lvelace-" + first.person_id[-8:]
    assert person_id_of("名前").startswith("person-")
    assert person_id_of("Ada Lovelace") != person_id_of("Ada-Lovelace")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",a.jpg,", "has no name"),
        ("Ada,,", "has no photos"),
        ("Ada,a.jpg,next year", "expires_at is 'next year'"),
        ("Ada,a.jpg,2026-12-31T12:00", "write 2026-12-31"),
        ("Ada,a.jpg,,more", "more cells than the header"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_the_next_is_read(
    tmp_path: Path, cells: str, reason: str
) -> None:
    wrong, right = read(tmp_path, f"name,photos,expires_at\n{cells}\nGrace,g.jpg,\n")

    assert isinstance(wrong, WrongRow)
    assert wrong.line == 2
    assert reason in wrong.reason
    assert isinstance(right, Row)


def test_two_people_of_one_name_need_ids(tmp_path: Path) -> None:
    _, second = read(tmp_path, "name,photos\nAda,a.jpg\nAda,b.jpg\n")

    assert isinstance(second, WrongRow)
    assert "is on line 2 already" in second.reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no column name"),
        ("name,notes\n", "has no column photos"),
        ("name,photos,watchlist\n", "the column 'watchlist' is none of person_id, name"),
        (b"name,photos\n\xff\xfe\n", "is not UTF-8 text"),
        ('name,photos\n"Ada,a.jpg\n', "unexpected end of data"),
    ],
)
def test_what_is_no_table_of_people_is_one_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(CliError, match=told):
        read(tmp_path, text)
