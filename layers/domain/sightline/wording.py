"""Names and times as the subject of a message can have them: ASCII, short, in the device's own time."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

# Signs that Unicode does not decompose into a Latin one and an accent.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "\u0131": "i",
        "\u2019": "'",
        "\u2013": "-",
    }
)


def to_ascii(text: str) -> str:
    """The nearest ASCII, `?` for each sign that has none; empty if not even one letter or digit is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_LATIN))
    signs = (sign for sign in plain if not unicodedata.combining(sign))
    safe = "".join(sign if " " <= sign <= "~" else "?" for sign in signs).strip()
    return safe if any(sign.isalnum() for sign in safe) else ""


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."


def time_of_day(moment: datetime, time_zone: str) -> str:
    try:
        return moment.astimezone(ZoneInfo(time_zone)).strftime("%H:%M:%S")
    except (KeyError, ValueError, OSError):  # a zone that this machine's data does not know stops no alert
        return moment.strftime("%H:%M:%S UTC")
