"""What `sightline enrol` says: a bar and lines for people, one JSON object a line for programs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sightline_cli.enrol.enrolment import Note, Result


@dataclass(slots=True)
class Totals:
    """What came of all rows."""

    people: int = 0
    new_faces: int = 0
    known_faces: int = 0
    refused: int = 0
    warnings: int = 0

    def add(self, result: Result) -> None:
        self.people += result.has_faces
        self.new_faces += result.new_faces
        self.known_faces += result.known_faces
        self.refused += len(result.refused)
        self.warnings += len(result.warnings)


@dataclass(frozen=True, slots=True)
class EnrolReport:
    """`source` is the name of the table."""

    source: str
    as_json: bool

    def row(self, result: Result) -> None:
        if self.as_json:
            self._event(
                "person",
                line=result.line,
                name=result.name,
                person_id=result.person_id,
                new_faces=result.new_faces,
                known_faces=result.known_faces,
                refused=[_fields(note) for note in result.refused],
                warnings=[_fields(note) for note in result.warnings],
            )
            return
        for kind, notes in (("refused", result.refused), ("warning", result.warnings)):
            for note in notes:
                about = ": ".join(filter(None, (result.name, note.photo)))
                print(f"{self.source}:{result.line}: {kind}: {about}: {note.text}", file=sys.stderr)

    def summary(self, totals: Totals, seconds: float) -> None:
        if self.as_json:
            self._event(
                "summary",
                people=totals.people,
                new_faces=totals.new_faces,
                known_faces=totals.known_faces,
                refused=totals.refused,
                warnings=totals.warnings,
                seconds=round(seconds, 3),
                ok=totals.refused == 0,
            )
            return
        said = [
            _several(totals.people, "person", "people"),
            f"{_several(totals.new_faces, 'new face', 'new faces')} and {totals.known_faces} known already",
            f"{totals.refused} refused",
            _several(totals.warnings, "warning", "warnings"),
        ]
        print(f"{', '.join(said)} ({seconds:.1f} s)")

    def _event(self, event: str, **fields: object) -> None:
        print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


@contextmanager
def counting(results: Iterator[Result], total: int, *, shown: bool) -> Iterator[Iterator[Result]]:
    """Give the results; a bar counts them on a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield results
        return
    from rich.console import Console  # noqa: PLC0415 - a bar is for people
    from rich.progress import track  # noqa: PLC0415

    yield iter(track(results, "enrolling", total=total, console=Console(stderr=True), transient=True))


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _fields(note: Note) -> dict[str, str | None]:
    return {"photo": note.photo, "detail": note.text}
