"""What Redshift's DDL says about where and how rows are stored: checked, then taken out.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import Token, TokenType
from sqlglot.dialects.redshift import Redshift

from sightline_local.cloud.redshift.errors import SqlError

_STYLES = frozenset(("AUTO", "EVEN", "KEY", "ALL"))
_ENCODINGS = frozenset(
    {
        *("AUTO", "AZ64", "BYTEDICT", "DELTA", "DELTA32K", "LZO", "MOSTLY8", "MOSTLY16", "MOSTLY32", "RAW"),
        *("RUNLENGTH", "TEXT255", "TEXT32K", "ZSTD"),
    }
)
_MOST_SORT_KEYS = {"": 400, "COMPOUND": 400, "INTERLEAVED": 8}


@dataclass(slots=True)
class Physical:
    """`text` is the statement without what the rest of this says."""

    text: str = ""
    style: str | None = None
    is_late_binding: bool = False
    distribution_keys: list[str] = field(default_factory=list)
    sort_keys: list[str] = field(default_factory=list)
    identities: dict[str, tuple[int, int]] = field(default_factory=dict)  # column → seed, step

    def check(self, columns: Iterable[str]) -> None:
        """SqlError when the keys do not fit the columns or each other."""
        known = frozenset(columns)
        for kind, keys in (("distribution", self.distribution_keys), ("sort", self.sort_keys)):
            for key in keys:
                if key not in known:
                    raise SqlError(f'column "{key}" named in {kind} key does not exist')
        if len(self.distribution_keys) > 1:
            raise SqlError("cannot specify more than one distribution key")
        if self.distribution_keys and self.style not in (None, "KEY", "AUTO"):
            raise SqlError(f"cannot specify a distribution key with DISTSTYLE {self.style}")
        if self.style == "KEY" and not self.distribution_keys:
            raise SqlError("DISTSTYLE KEY requires a distribution key")


def tokens_of(sql: str) -> list[Token]:
    """The words of a statement, without a semicolon at its end; SqlError for more than one statement."""
    tokens = list(Redshift().tokenize(sql))
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise SqlError("there is no statement")
    if any(token.token_type is TokenType.SEMICOLON for token in tokens):
        raise SqlError("only one statement can be run at a time")
    return tokens


def take_out(sql: str, tokens: list[Token]) -> Physical:
    """Read the physical clauses of a CREATE or ALTER statement."""
    return _Reader(sql, tokens).read()


class _Reader:
    def __init__(self, sql: str, tokens: list[Token]) -> None:
        self.found = Physical()
        self._text = list(sql)
        self._tokens = tokens
        self._at = 0
        self._column = ""

    def read(self) -> Physical:
        depth, begins = 0, False
        clauses: dict[str, Callable[[], None]] = {
            "ENCODE": self._encode,
            "DISTSTYLE": self._style,
            "DISTKEY": self._distribution_key,
            "SORTKEY": self._sort_key,
            "COMPOUND": self._sort_key,
            "INTERLEAVED": self._sort_key,
            "IDENTITY": self._identity,
            "GENERATED": self._identity,
            "BACKUP": lambda: self._drop(2),
            "AUTO": lambda: self._drop(3 if self._word(1) == "REFRESH" else 1),
        }
        while self._at < len(self._tokens):
            word = self._word(0)
            if word == "AS" and depth == 0:
                break  # what follows is a query
            if begins and depth == 1:
                self._column = self._name(0)
            begins = (word, depth) in (("(", 0), (",", 1))
            depth += {"(": 1, ")": -1}.get(word, 0)
            clause = None if begins else clauses.get(word)
            if clause and self._tokens[self._at].token_type is not TokenType.IDENTIFIER:
                clause()
            else:
                self._at += 1
        self._late_binding()
        self.found.text = "".join(self._text)
        return self.found

    def _word(self, ahead: int) -> str:
        place = self._at + ahead
        return self._tokens[place].text.upper() if place < len(self._tokens) else ""

    def _name(self, ahead: int) -> str:
        return self._word(ahead).lower()

    def _drop(self, count: int) -> None:
        last = self._tokens[min(self._at + count, len(self._tokens)) - 1]
        for index in range(self._tokens[self._at].start, last.end + 1):
            self._text[index] = " "
        self._at += count

    def _encode(self) -> None:
        if self._word(1) not in _ENCODINGS:
            raise SqlError(f'invalid encoding type specified for column "{self._column}": {self._name(1)}')
        self._drop(2)

    def _style(self) -> None:
        self.found.style = self._word(1)
        if self.found.style not in _STYLES:
            raise SqlError(f"invalid distribution style {self._word(1)}")
        self._drop(2)

    def _distribution_key(self) -> None:
        names = list(self._listed(1))
        self.found.distribution_keys += names or [self._column]
        self._drop(1 + self._width(1))

    def _sort_key(self) -> None:
        kind = "" if self._word(0) == "SORTKEY" else self._word(0)
        before = 1 if kind else 0
        names = list(self._listed(1 + before))
        if len(names) > _MOST_SORT_KEYS[kind]:
            raise SqlError(f"cannot have more than {_MOST_SORT_KEYS[kind]} columns in a sort key")
        if self._word(1 + before) == "AUTO":
            self._drop(2 + before)
            return
        self.found.sort_keys += names or [self._column]
        self._drop(1 + before + self._width(1 + before))

    def _identity(self) -> None:
        """IDENTITY(1, 1), or GENERATED BY DEFAULT AS IDENTITY(1, 1)."""
        before = 4 if self._word(0) == "GENERATED" else 0
        numbers = [int(number) for number in self._listed(1 + before)]
        seed, step = numbers if len(numbers) == 2 else (1, 1)
        self.found.identities[self._column] = (seed, step)
        self._drop(1 + before + self._width(1 + before))

    def _listed(self, ahead: int) -> Iterator[str]:
        """The items in parentheses, if they begin there."""
        if self._word(ahead) != "(":
            return
        while self._word(ahead) not in (")", ""):
            if self._word(ahead) not in ("(", ","):
                yield self._name(ahead)
            ahead += 1

    def _width(self, ahead: int) -> int:
        if self._word(ahead) != "(":
            return 0
        width = 1
        while self._word(ahead + width - 1) not in (")", ""):
            width += 1
        return width

    def _late_binding(self) -> None:
        last = [token.text.upper() for token in self._tokens[-4:]]
        if last == ["WITH", "NO", "SCHEMA", "BINDING"]:
            self._at = len(self._tokens) - 4
            self._drop(4)
            self.found.is_late_binding = True
