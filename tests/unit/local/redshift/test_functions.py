"""Every function that a statement may call gives here what Redshift's documentation shows."""

from typing import Any

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift.functions import KNOWN
from sightline_local.cloud.redshift.session import Session

ROWS = "(SELECT 1 AS n, 'a' AS t UNION ALL SELECT 2, 'b' UNION ALL SELECT 4, NULL)"
AT = "TIMESTAMP '2026-11-22 20:30:40.5'"
EXAMPLES: dict[str, Any] = {
    f"SELECT ANY_VALUE(7) FROM {ROWS}": 7,
    f"SELECT ROUND(AVG(n::DOUBLE PRECISION), 2) FROM {ROWS}": 2.33,
    f"SELECT BOOL_AND(n > 0) FROM {ROWS}": True,
    f"SELECT BOOL_OR(n > 9) FROM {ROWS}": False,
    f"SELECT COUNT(t) FROM {ROWS}": 2,
    f"SELECT APPROXIMATE COUNT(DISTINCT t) FROM {ROWS}": 2,
    f"SELECT LISTAGG(t, ',') WITHIN GROUP (ORDER BY t DESC) FROM {ROWS}": "b,a",
    f"SELECT LISTAGG(DISTINCT t, '-') WITHIN GROUP (ORDER BY t) FROM {ROWS}": "a-b",
    f"SELECT LISTAGG(t) WITHIN GROUP (ORDER BY t) FROM {ROWS}": "ab",
    f"SELECT MAX(n) - MIN(n) FROM {ROWS}": 3,
    f"SELECT MEDIAN(n) FROM {ROWS}": 2.0,
    f"SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY n) FROM {ROWS}": 2.0,
    f"SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY n) FROM {ROWS}": 2,
    f"SELECT ROUND(STDDEV(n) - STDDEV_SAMP(n) + STDDEV_POP(n), 3) FROM {ROWS}": 1.247,
    f"SELECT ROUND(VARIANCE(n) - VAR_SAMP(n) + VAR_POP(n), 3) FROM {ROWS}": 1.556,
    f"SELECT SUM(n) FROM {ROWS}": 7,
    f"SELECT COUNT(*) OVER () FROM {ROWS} QUALIFY ROW_NUMBER() OVER (ORDER BY n) = 1": 3,
    f"SELECT RANK() OVER (ORDER BY n) + DENSE_RANK() OVER (ORDER BY n) FROM {ROWS} ORDER BY n": 2,
    f"SELECT PERCENT_RANK() OVER (ORDER BY n) + NTILE(1) OVER (ORDER BY n) FROM {ROWS} ORDER BY n": 1.0,
    f"SELECT CUME_DIST() OVER (ORDER BY n) FROM {ROWS} ORDER BY n DESC": 1.0,
    f"SELECT NVL(LAG(n) OVER (ORDER BY n), 9) FROM {ROWS} ORDER BY n": 9,
    f"SELECT LEAD(n, 2) OVER (ORDER BY n) FROM {ROWS} ORDER BY n": 4,
    f"SELECT FIRST_VALUE(n) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) FROM {ROWS} ORDER BY n DESC": 1,
    f"SELECT LAST_VALUE(n) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) FROM {ROWS} ORDER BY n DESC": 4,
    f"SELECT NTH_VALUE(n, 2) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) FROM {ROWS} ORDER BY n DESC": 2,
    "SELECT COALESCE(NULL, 'x')": "x",
    "SELECT DECODE(2, 1, 'one', 2, 'two', 'many')": "two",
    "SELECT GREATEST(1, 3, 2) - LEAST(3, 2)": 1,
    "SELECT NULLIF(1, 1)": None,
    "SELECT NVL2(NULL, 'set', 'not set')": "not set",
    f"SELECT CONVERT_TIMEZONE('UTC', 'Europe/Berlin', {AT})::VARCHAR": "2026-11-22 21:30:40.5",
    f"SELECT CONVERT_TIMEZONE('America/New_York', {AT})::VARCHAR": "2026-11-22 15:30:40.5",
    f"SELECT DATEADD(day, -7, {AT})::VARCHAR": "2026-11-15 20:30:40.5",
    f"SELECT DATEDIFF(minute, {AT}, DATEADD(hour, 2, {AT}))": 120,
    f"SELECT DATE_PART(dow, {AT}) + DATE_PART(hour, {AT})": 20,
    f"SELECT EXTRACT(epoch FROM {AT})": 1795379440,
    f"SELECT DATE_TRUNC('hour', {AT})::VARCHAR": "2026-11-22 20:00:00",
    f"SELECT DATE({AT})::VARCHAR": "2026-11-22",
    "SELECT GETDATE() <= SYSDATE": True,
    "SELECT LAST_DAY('2026-02-03'::DATE)::VARCHAR": "2026-02-28",
    f"SELECT TO_CHAR({AT}, 'YYYY-MM-DD HH24:MI:SS')": "2026-11-22 20:30:40",
    "SELECT TO_DATE('22.11.2026', 'DD.MM.YYYY')::VARCHAR": "2026-11-22",
    "SELECT TO_TIMESTAMP('2026-11-22 20', 'YYYY-MM-DD HH24')::VARCHAR": "2026-11-22 20:00:00+00",
    "SELECT TIMESTAMP 'epoch' + 1.5 * INTERVAL '1 second'": "1970-01-01 00:00:01.500000",
    "SELECT ASCII('a') + LEN('äb') + LENGTH('ab') + CHAR_LENGTH('b') + OCTET_LENGTH('ä')": 104,
    "SELECT BTRIM('  a ') || LTRIM(' b') || RTRIM('c ') || TRIM(' d ')": "abcd",
    "SELECT CHARINDEX('b', 'abc') + STRPOS('abc', 'c') + POSITION('a' IN 'abc')": 6,
    "SELECT CONCAT('a', 'b') || CHR(99)": "abc",
    "SELECT LEFT('abc', 1) || RIGHT('abc', 1)": "ac",
    "SELECT LOWER('A') || UPPER('b')": "aB",
    "SELECT LPAD('a', 3, '-') || RPAD('b', 2, '-')": "--ab-",
    "SELECT MD5('a')": "0cc175b9c0f1b6a831c399e269772661",
    "SELECT SHA1('a')": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
    "SELECT SHA2('a', 256)": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    "SELECT REGEXP_REPLACE('a1b2', '[0-9]', '')": "ab",
    "SELECT REGEXP_SUBSTR('gate-12', '[0-9]+')": "12",
    "SELECT REPEAT('a', 2) || REPLACE('abc', 'b', '') || REVERSE('ab')": "aaacba",
    "SELECT SPLIT_PART('a/b', '/', 2)": "b",
    "SELECT SUBSTRING('abc', 2, 1) || SUBSTR('abc', 3)": "bc",
    "SELECT TRANSLATE('abc', 'ab', 'xy')": "xyc",
    "SELECT ABS(-1) + CEIL(0.5) + CEILING(0.5) + FLOOR(1.5) + ROUND(0.5)": 5.0,
    "SELECT MOD(7, 4) + SIGN(-3)": 2,
    "SELECT 7 / 2": 3,
    "SELECT TRUNC(7.9)": 7.0,
    "SELECT ROUND(POWER(2, 3) + SQRT(4) + EXP(0) + LN(1) + LOG(100))": 13.0,
    "SELECT ROUND(DEGREES(PI()) + RADIANS(0) + SIN(0) + COS(0) + TAN(0), 3)": 181.0,
    "SELECT ACOS(1) + ASIN(0) + ATAN(0) + ATAN2(0, 1)": 0.0,
    "SELECT RANDOM() < 1": True,
    "SELECT IS_VALID_JSON('{}')": True,
    "SELECT JSON_ARRAY_LENGTH('[1, 2]')": 2,
    """SELECT JSON_EXTRACT_PATH_TEXT('{"a": {"b": "x"}}', 'a', 'b')""": "x",
    """SELECT JSON_SERIALIZE(JSON_PARSE('{"a":1}'))""": '{"a":1}',
    "SELECT JSON_TYPEOF(JSON_PARSE('[1]'))": "array",
    "SELECT CURRENT_SCHEMA()": "public",
}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(Database("dev"), "admin", lambda _session, _sql: 0)


@pytest.mark.parametrize("sql", EXAMPLES)
def test_the_function_gives_what_redshift_gives(session: Session, sql: str) -> None:
    value = session.run([sql])[0].rows[0][0]
    expected = EXAMPLES[sql]
    if isinstance(expected, str):
        assert str(value) == expected
    else:
        assert value == expected


def test_every_known_function_has_an_example() -> None:
    text = " ".join(EXAMPLES).upper()
    assert {name for name in KNOWN if f"{name}(" not in text and name not in text.split()} == set()


@pytest.mark.parametrize("call", ["STRFTIME(a, 'x')", "LIST_VALUE(1)", "READ_CSV('x')", "EPOCH_MS(1)"])
def test_a_function_of_duckdb_alone_is_refused_by_name(session: Session, call: str) -> None:
    name = call.partition("(")[0].lower()
    with pytest.raises(SqlError, match=f"function {name} does not exist"):
        session.run([f"SELECT {call}"])
