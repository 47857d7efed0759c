"""How COPY turns the text of a value into the type of its column, and what it says when it cannot.

Each rule is a pair of DuckDB expressions over the text `{}`: the value, and whether the text is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sightline_local.cloud.redshift import load_errors as codes
from sightline_local.cloud.redshift.column_type import ColumnType
from sightline_local.cloud.redshift.copy_command import CopyCommand
from sightline_local.cloud.redshift.errors import NotEmulatedError

_EPOCHS = {
    "epochsecs": "make_timestamp((TRY_CAST({} AS DOUBLE) * 1000000)::BIGINT)",
    "epochmillisecs": "make_timestamp((TRY_CAST({} AS DOUBLE) * 1000)::BIGINT)",
}
_T = "{}"  # where the text goes; a pattern may have other braces
_TRUE, _FALSE = "('t', 'true', 'y', 'yes', '1')", "('f', 'false', 'n', 'no', '0')"
_USUAL_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?"
_USUAL_ZONED = _USUAL_TIME + r" ?([+-]\d\d(:?\d\d)?|Z)?"
_USUAL_DATE = r"\d{4}-\d\d-\d\d"
# The parts of Redshift's formats, the longer ones first, and what strptime calls them.
_PARTS = (
    *(("YYYY", "%Y"), ("HH24", "%H"), ("HH12", "%I"), ("MON", "%b"), ("YY", "%y"), ("MM", "%m")),
    *(("DD", "%d"), ("HH", "%H"), ("MI", "%M"), ("SS", "%S"), ("AM", "%p"), ("PM", "%p"), ("OF", "%z")),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`value` and `is_wrong` are expressions with {} for the text; `code` and `reason` say what is wrong."""

    value: str
    is_wrong: str
    code: int
    reason: str


def rules_for(column: ColumnType, command: CopyCommand) -> list[Rule]:
    """What is checked, in this order; the last rule gives the value."""
    if column.name in _SIMPLE:
        return [_SIMPLE[column.name]]
    return _RULES[column.name](column, command)


def _cast(text: str, kind: str, code: int, reason: str) -> Rule:
    value = f"TRY_CAST({text} AS {kind})"
    return Rule(value, f"{value} IS NULL", code, reason)


_BOOLEAN = f"CASE WHEN lower({_T}) IN {_TRUE} THEN true WHEN lower({_T}) IN {_FALSE} THEN false END"
_FLOAT_REASON = "Invalid digit, Value is no number, Type: Double"
_SIMPLE = {
    "real": _cast("{}", "REAL", codes.BAD_FLOAT, _FLOAT_REASON),
    "double precision": _cast("{}", "DOUBLE", codes.BAD_FLOAT, _FLOAT_REASON),
    "boolean": Rule(_BOOLEAN, f"({_BOOLEAN}) IS NULL", codes.BAD_BOOLEAN, "Unknown boolean format"),
    "time": _cast("{}", "TIME", codes.BAD_TIMESTAMP, "Invalid time format or value"),
    "super": Rule("{}::JSON", "NOT json_valid({})", codes.BAD_LINE, "Invalid value."),
}


def _text_rules(column: ColumnType, _command: CopyCommand) -> list[Rule]:
    too_long = f"strlen({_T}) > {column.length}"
    rules = [Rule("{}", too_long, codes.OUT_OF_RANGE, "String length exceeds DDL length")]
    if column.name == "char":
        reason = "Multibyte character not supported for CHAR (Hint: try using VARCHAR)"
        rules.insert(0, Rule("{}", "strlen({}) <> length({})", codes.BAD_UTF8, reason))
    return rules


def _integer_rules(column: ColumnType, _command: CopyCommand) -> list[Rule]:
    """DuckDB rounds 12.5; Redshift sees a point where a digit must be."""
    named = {"smallint": "Short", "integer": "Integer", "bigint": "Long"}[column.name]
    digits = r"NOT regexp_full_match({}, '\s*[+-]?\d+\s*')"
    return [
        Rule("{}", digits, codes.BAD_DIGIT, f"Invalid digit, Type: {named}"),
        _cast("{}", column.duckdb, codes.OUT_OF_RANGE, f"Overflow, Type: {named}"),
    ]


def _numeric_rules(column: ColumnType, command: CopyCommand) -> list[Rule]:
    """Digits beyond the scale are cut off, unless ROUNDEC rounds them."""
    text = "{}"
    if not command.rounds:
        kept = rf"\.\d{{{column.scale}}}" if column.scale else ""
        text = rf"regexp_replace({_T}, '^(\s*[+-]?\d*{kept})\.?\d*\s*$', '\1')"
    return [_cast(text, column.duckdb, codes.BAD_DECIMAL, "Invalid digit, Type: Decimal")]


def _time_rules(column: ColumnType, command: CopyCommand) -> list[Rule]:
    kind = column.duckdb
    usual = _USUAL_TIME if kind == "TIMESTAMP" else _USUAL_ZONED
    form = command.time_format
    shown = form or "YYYY-MM-DD HH24:MI:SS"
    reason = f"Invalid timestamp format or value [{shown}]"
    if form in _EPOCHS:
        value = f"{_EPOCHS[form]}::{kind}"
    elif form == "auto":
        value = f"TRY_CAST({_T} AS {kind})"
    elif form:
        value = f"try_strptime({_T}, '{_pattern(form)}')::{kind}"
    else:
        value = f"CASE WHEN regexp_full_match({_T}, '{usual}') THEN TRY_CAST({_T} AS {kind}) END"
    return [Rule(value, f"({value}) IS NULL", codes.BAD_TIMESTAMP, reason)]


def _date_rules(_column: ColumnType, command: CopyCommand) -> list[Rule]:
    form = command.date_format
    if form == "auto":
        value = "TRY_CAST({} AS DATE)"
    elif form:
        value = f"try_strptime({_T}, '{_pattern(form)}')::DATE"
    else:
        value = f"CASE WHEN regexp_full_match({_T}, '{_USUAL_DATE}') THEN TRY_CAST({_T} AS DATE) END"
    reason = f"Invalid Date Format - length must be 10 or more [{form or 'YYYY-MM-DD'}]"
    return [Rule(value, f"({value}) IS NULL", codes.BAD_DATE, reason)]


def _pattern(form: str) -> str:
    """Redshift's format as strptime's."""
    written, rest = "", form
    while rest:
        part = next(((word, code) for word, code in _PARTS if rest.upper().startswith(word)), None)
        if part is None and rest[0].isalpha() and rest[0] not in "TZ":
            raise NotEmulatedError(f"the format '{form}'")
        written += part[1] if part else rest[0].replace("'", "''").replace("%", "%%")
        rest = rest[len(part[0]) if part else 1 :]
    return written


_RULES: dict[str, Callable[[ColumnType, CopyCommand], list[Rule]]] = {
    "char": _text_rules,
    "varchar": _text_rules,
    "smallint": _integer_rules,
    "integer": _integer_rules,
    "bigint": _integer_rules,
    "numeric": _numeric_rules,
    "timestamp": _time_rules,
    "timestamptz": _time_rules,
    "date": _date_rules,
}
