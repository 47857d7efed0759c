"""The lake's bucket in memory."""

from collections.abc import Sequence
from datetime import datetime

from sightline.errors import RejectedError
from sightline.lake.model import LakeFile

BUCKET = "lake"


class FakeLakeFiles:
    """`answers` has Athena's answers by their URLs: the values of the first column."""

    def __init__(self) -> None:
        self.files: dict[str, LakeFile] = {}
        self.lists: dict[str, list[LakeFile]] = {}
        self.answers: dict[str, list[str]] = {}

    def put(self, key: str, modified_at: datetime, size: int = 1) -> LakeFile:
        self.files[key] = LakeFile(key, size, modified_at)
        return self.files[key]

    def of_day(self, day: str) -> list[LakeFile]:
        return [each for key, each in sorted(self.files.items()) if key.startswith(f"sightings/dt={day}/")]

    def write_list(self, name: str, files: Sequence[LakeFile]) -> str:
        self.lists[name] = list(files)
        return name

    def read_list(self, key: str) -> list[LakeFile]:
        return self.lists[key]

    def remove(self, files: Sequence[LakeFile]) -> None:
        for each in files:
            self.files.pop(each.key, None)

    def first_column(self, url: str) -> list[str]:
        return self.answers[url]

    def key_of(self, url: str) -> str:
        if not url.startswith(f"s3://{BUCKET}/"):
            raise RejectedError(f"{url} is not in {BUCKET}")
        return url.removeprefix(f"s3://{BUCKET}/")
