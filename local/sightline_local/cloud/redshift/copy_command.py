"""The text of a COPY, read.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import Token, TokenType

from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.physical import tokens_of

DEFAULT_ROLE = "default"
_MOST_ERRORS = 100_000


@dataclass(slots=True)
class CopyCommand:
    """What to load from where into what, with the options that are emulated."""

    table: str = ""
    schema: str | None = None
    columns: tuple[str, ...] | None = None  # None: all of the table's
    source: str = ""
    role: str | None = None  # an ARN, or DEFAULT_ROLE
    json: str = ""  # "auto", "auto ignorecase" or the S3 URL of a jsonpaths file
    is_manifest: bool = False
    gzip: bool = False
    max_errors: int = 0
    time_format: str | None = None
    date_format: str | None = None
    truncates: bool = False
    blanks_as_null: bool = False
    empty_as_null: bool = False
    rounds: bool = False
    invalid_character: str | None = None
    only_checks: bool = False
    region: str | None = None


def read_copy(sql: str) -> CopyCommand:
    """SqlError for what is no COPY, NotEmulatedError for an option that the local runtime does not have."""
    return _Reader(tokens_of(sql)).read()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 1  # behind COPY
        self._command = CopyCommand()
        set_to: Callable[..., Callable[[], None]] = lambda name, value: lambda: self._set(name, value)  # noqa: E731
        take: Callable[..., Callable[[], None]] = lambda name: lambda: self._set(name, self._text())  # noqa: E731
        self._options: dict[str, Callable[[], None]] = {
            "IAM_ROLE": self._role,
            "CREDENTIALS": self._credentials,
            "FORMAT": self._format,
            "JSON": self._json,
            "GZIP": set_to("gzip", True),
            "MANIFEST": set_to("is_manifest", True),
            "MAXERROR": self._max_errors,
            "TIMEFORMAT": take("time_format"),
            "DATEFORMAT": take("date_format"),
            "REGION": take("region"),
            "TRUNCATECOLUMNS": set_to("truncates", True),
            "BLANKSASNULL": set_to("blanks_as_null", True),
            "EMPTYASNULL": set_to("empty_as_null", True),
            "ROUNDEC": set_to("rounds", True),
            "NOLOAD": set_to("only_checks", True),
            "ACCEPTINVCHARS": self._invalid_characters,
            "COMPUPDATE": self._switch,  # how columns are compressed is nothing that can be seen
            "STATUPDATE": self._switch,
        }

    def read(self) -> CopyCommand:
        self._target()
        self._expect("FROM")
        self._command.source = self._text()
        if not self._command.source.startswith("s3://"):
            raise NotEmulatedError(f"COPY from {self._command.source.partition(':')[0]}, only from s3://")
        while self._at < len(self._tokens):
            word = self._next()
            if word not in self._options:
                raise NotEmulatedError(f"the COPY option {word}")
            self._options[word]()
        if not self._command.json:
            raise NotEmulatedError("COPY of delimited text, only FORMAT JSON")
        return self._command

    def _set(self, name: str, value: Any) -> None:
        setattr(self._command, name, value)

    def _word(self) -> str:
        return self._tokens[self._at].text.upper() if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        word = self._word()
        self._at += 1
        return word

    def _expect(self, word: str) -> None:
        if self._next() != word:
            place = min(self._at, len(self._tokens)) - 1
            raise SqlError(f'syntax error at or near "{self._tokens[place].text}"')

    def _accept(self, *words: str) -> bool:
        found = self._word() in words
        self._at += found
        return found

    def _is_text(self) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].token_type is TokenType.STRING

    def _text(self) -> str:
        self._accept("AS")
        if not self._is_text():
            raise SqlError(f'syntax error at or near "{self._word().lower()}"')
        self._at += 1
        return self._tokens[self._at - 1].text

    def _target(self) -> None:
        parts = [self._next().lower()]
        while self._accept("."):
            parts.append(self._next().lower())
        self._command.table = parts[-1]
        self._command.schema = parts[-2] if len(parts) > 1 else None
        if self._accept("("):
            names = []
            while self._word() not in (")", ""):
                names.append(self._next().lower())
                self._accept(",")
            self._expect(")")
            self._command.columns = tuple(names)

    def _role(self) -> None:
        self._command.role = DEFAULT_ROLE if self._accept("DEFAULT") else self._text()

    def _credentials(self) -> None:
        name, _, value = self._text().partition("=")
        if name.strip() != "aws_iam_role":
            raise NotEmulatedError(f"CREDENTIALS with {name.strip()}, only aws_iam_role")
        self._command.role = value.strip()

    def _format(self) -> None:
        self._accept("AS")
        kind = self._next()
        if kind != "JSON":
            raise NotEmulatedError(f"the COPY format {kind}, only JSON")
        self._json()

    def _json(self) -> None:
        self._accept("AS")
        how = self._text() if self._is_text() else "auto"
        if not how.startswith("s3://") and how.lower() not in ("auto", "auto ignorecase"):
            raise NotEmulatedError(f"JSON '{how}'")
        self._command.json = how if how.startswith("s3://") else how.lower()

    def _max_errors(self) -> None:
        self._accept("AS")
        number = self._next()
        if not number.isdigit() or int(number) > _MOST_ERRORS:
            raise SqlError(f"MAXERROR must be between 0 and {_MOST_ERRORS}")
        self._command.max_errors = int(number)

    def _invalid_characters(self) -> None:
        self._command.invalid_character = "?"
        if self._accept("AS") or self._is_text():
            self._command.invalid_character = self._text()

    def _switch(self) -> None:
        self._accept("ON", "OFF", "TRUE", "FALSE", "PRESET")
