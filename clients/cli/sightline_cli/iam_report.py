"""`sightline up --iam-report`: what the policies allowed and nobody needed, and what was denied."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sightline_local.iam.report import IamReport

TERMINAL = Path("-")
OPTION = "--iam-report"


def with_its_file(arguments: list[str]) -> list[str]:
    """The FILE of the option may be left out, which parsers of options do not know: then it is `-`."""
    written = list(arguments)
    if OPTION in written:
        index = written.index(OPTION)
        following = written[index + 1 : index + 2]
        if not following or (following[0].startswith("-") and following[0] != "-"):
            written.insert(index + 1, str(TERMINAL))
    return written


def check_writable(file: Path) -> None:
    """Make the file now: a mistake in its path shall not show at the end of a long run. OSError."""
    if file != TERMINAL:
        file.write_text("")


def tell(report: "IamReport", file: Path, *, as_json: bool) -> None:
    """To the terminal or into the file; as lines, or as one JSON document."""
    if file == TERMINAL:
        event = {"event": "iam_report", **report.as_dict()}
        print(json.dumps(event) if as_json else "\n".join(["", *report.lines()]), flush=True)
        return
    text = json.dumps(report.as_dict(), indent=2) if as_json else "\n".join(report.lines())
    file.write_text(text + "\n")
