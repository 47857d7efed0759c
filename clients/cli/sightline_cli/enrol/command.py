"""`sightline enrol`: the table, the photos, the API, and what is said about them."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sightline_cli.enrol.enrolment import Enroller, put_photo
from sightline_cli.enrol.people_file import read_people
from sightline_cli.enrol.report import EnrolReport, Totals, counting
from sightline_cli.errors import FAILED, CliError
from sightline_cli.stack import Stack
from sightline_cli.tokens import api_of

# A photo costs four calls of Rekognition one after the other; its quotas allow far more than this at once.
AT_ONCE = 4


def run_enrol(stack: Stack, *, people: Path, photos: Path, as_json: bool) -> int:
    """Enrol everybody; 1 when somebody or something was refused."""
    rows = read_people(people)
    if not photos.is_dir():
        raise CliError(f"{photos}: is no folder")
    began = time.monotonic()
    api = api_of(stack)
    api.get("/watchlists?limit=1")  # the token, once for all threads; and an early word if there is no API
    enroller = Enroller(api, photos, put_photo)
    report, totals = EnrolReport(str(people), as_json=as_json), Totals()
    pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="enrol")
    try:
        with counting(pool.map(enroller.enrol, rows), len(rows), shown=not as_json) as results:
            for result in results:
                totals.add(result)
                report.row(result)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    report.summary(totals, time.monotonic() - began)
    return FAILED if totals.refused else 0
