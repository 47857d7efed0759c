"""GRANT, REVOKE and CREATE USER, read.

https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
"""

from dataclasses import dataclass

from sqlglot import Token, TokenType

from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.passwords import problem_of

PUBLIC = "public"
_ALL = {
    "table": ("select", "insert", "update", "delete", "drop", "truncate", "alter", "references"),
    "schema": ("create", "usage", "alter", "drop"),
    "database": ("create", "temp", "usage"),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """`everything_in` says that `names` are schemas, whose tables of now are meant."""

    gives: bool
    privileges: tuple[str, ...]
    kind: str  # "table", "schema" or "database"
    names: tuple[str, ...]  # "schema.table", or "table" to be looked up
    grantees: tuple[str, ...]
    everything_in: bool = False


@dataclass(frozen=True, slots=True)
class NewUser:
    """`password` is None for one that comes in by IAM only."""

    name: str
    password: str | None


def read_grant(tokens: list[Token]) -> Grant:
    return _Reader(tokens).grant()


def read_user(tokens: list[Token]) -> NewUser:
    """CREATE USER name [WITH] PASSWORD 'text' | DISABLE."""
    words = [token for token in tokens[2:] if token.text.upper() != "WITH"]
    if len(words) != 3 or words[1].text.upper() != "PASSWORD":
        raise NotEmulatedError("CREATE USER with anything but PASSWORD")
    disabled = words[2].text.upper() == "DISABLE" and words[2].token_type is not TokenType.STRING
    if not disabled and (problem := problem_of(words[2].text)):
        raise SqlError(problem)
    return NewUser(user_name(words[0]), None if disabled else words[2].text)


def user_name(token: Token) -> str:
    """Folded, but for users of IAM: IAM:name, IAMR:name."""
    text = token.text
    return text if text.startswith(("IAM:", "IAMR:")) else text.lower()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def grant(self) -> Grant:
        gives = self._next() == "GRANT"
        privileges = self._listed("ON")
        kind, everything = self._kind()
        names = self._listed("TO" if gives else "FROM")
        grantees = self._grantees()
        wanted: list[str] = []
        for privilege in privileges:
            wanted += _ALL[kind] if privilege.startswith("all") else [privilege.replace("temporary", "temp")]
        if strange := set(wanted) - set(_ALL[kind]):
            raise SqlError(f"invalid privilege type {min(strange).upper()} for {kind}")
        return Grant(gives, tuple(wanted), kind, tuple(names), tuple(grantees), everything)

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise SqlError("syntax error at end of input")
        self._at += 1
        return self._tokens[self._at - 1].text.upper()

    def _listed(self, end: str) -> list[str]:
        """Everything up to a word, at the commas."""
        items, item = [], ""
        while (word := self._next()) != end:
            if word == ",":
                items.append(item)
                item = ""
            else:
                item += word.lower()
        return [*items, item]

    def _kind(self) -> tuple[str, bool]:
        word = self._tokens[self._at].text.upper() if self._at < len(self._tokens) else ""
        if word == "ALL":
            if [self._next() for _ in range(4)] != ["ALL", "TABLES", "IN", "SCHEMA"]:
                raise NotEmulatedError("GRANT on ALL but TABLES IN SCHEMA")
            return "table", True
        if word in ("TABLE", "SCHEMA", "DATABASE"):
            self._at += 1
            return word.lower(), False
        if word in ("FUNCTION", "PROCEDURE", "LANGUAGE", "MODEL", "EXTERNAL", "DATASHARE"):
            raise NotEmulatedError(f"GRANT on {word}")
        return "table", False

    def _grantees(self) -> list[str]:
        rest = self._tokens[self._at :]
        found = []
        for token in rest:
            word = token.text.upper()
            if word in ("ROLE", "GROUP") and token.token_type is not TokenType.IDENTIFIER:
                raise NotEmulatedError(f"GRANT to a {word}")
            if word == "WITH":
                break  # WITH GRANT OPTION
            if word not in (",", "CASCADE", "RESTRICT"):
                found.append(PUBLIC if word == "PUBLIC" else user_name(token))
        return found
