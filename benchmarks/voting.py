"""How often a vote alerts for a stranger, and how often it misses the person: `docs/voting.md` and its plot.

A score stream is what one face gives frame by frame. Neighbouring frames resemble each other, so a score is
partly that of the frame before (an AR(1) process): votes over frames that all err together help less than one
thinks.
"""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Measurement
from sightline.alerts.rule import is_voted
from sightline.devices.model import Vote

PLOT = Path("docs/voting.svg")
SEED, STREAMS, FRAMES = 7, 2_000, 12
# Similarity in percent: mean and spread of the enrolled person, and of a stranger who resembles him most.
PERSON, STRANGER, LIKENESS_OF_NEIGHBOURS = (95.0, 4.0), (82.0, 5.0), 0.5
VOTES = (Vote(1, 1), Vote(2, 3), Vote(3, 5))
THRESHOLDS = [80 + step / 2 for step in range(41)]
BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
MOMENTS = [BEGIN + timedelta(seconds=n) for n in range(FRAMES)]
COLOURS = {Vote(1, 1): "#b3341f", Vote(2, 3): "#1f6fb3", Vote(3, 5): "#2f8f4e"}
WIDTH, HEIGHT, LEFT, TOP = 720, 400, 70, 30
FLOOR = 0.0005


def streams(mean: float, spread: float, chance: random.Random) -> list[list[float]]:
    rest = math.sqrt(1 - LIKENESS_OF_NEIGHBOURS**2)
    found = []
    for _ in range(STREAMS):
        deviation, stream = chance.gauss(0, 1), []
        for _ in range(FRAMES):
            stream.append(min(100.0, mean + spread * deviation))
            deviation = LIKENESS_OF_NEIGHBOURS * deviation + rest * chance.gauss(0, 1)
        found.append(stream)
    return found


def alerted(found: Sequence[Sequence[float]], threshold: float, vote: Vote) -> float:
    """The share of the streams for which the product's own vote raises an alert."""
    count = 0
    for stream in found:
        agreeing = [moment for moment, score in zip(MOMENTS, stream, strict=True) if score >= threshold]
        count += is_voted(agreeing, MOMENTS, vote)
    return count / len(found)


def curves() -> dict[Vote, list[tuple[float, float, float]]]:
    """For each vote: threshold, share of strangers alerted for, share of visits missed."""
    chance = random.Random(SEED)
    people, strangers = streams(*PERSON, chance), streams(*STRANGER, chance)
    return {
        vote: [(each, alerted(strangers, each, vote), 1 - alerted(people, each, vote)) for each in THRESHOLDS]
        for vote in VOTES
    }


def run() -> Iterator[Measurement]:
    found = curves()
    PLOT.write_text(plot(found))
    for vote, points in found.items():
        false, missed = next((false, missed) for threshold, false, missed in points if threshold == 90)
        yield Measurement(f"strangers alerted for at 90, {vote.k} of {vote.n}", 100 * false, "%")
        yield Measurement(f"visits missed at 90, {vote.k} of {vote.n}", 100 * missed, "%")


def plot(found: dict[Vote, list[tuple[float, float, float]]]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 90}"'
    parts = [f'{head} font-family="sans-serif" font-size="13">']
    parts += [f'<rect width="{WIDTH}" height="{HEIGHT + 90}" fill="white"/>', *_axes()]
    for row, (vote, points) in enumerate(found.items()):
        colour = COLOURS[vote]
        for column, dash in ((1, ""), (2, ' stroke-dasharray="6 4"')):
            line = " ".join(f"{_x(point[0]):.1f},{_y(point[column]):.1f}" for point in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        x = LEFT + 200 * row
        parts.append(
            f'<text x="{x}" y="{HEIGHT + 55}" fill="{colour}">{vote.k} of {vote.n}: false (solid),</text>'
        )
        parts.append(f'<text x="{x}" y="{HEIGHT + 72}" fill="{colour}">missed (dashed)</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes() -> Iterator[str]:
    for share, label in ((1.0, "100 %"), (0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %")):
        y = _y(share)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 20}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    for threshold in range(80, 101, 5):
        x = _x(threshold)
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT}" stroke="#eee"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT + 18}" text-anchor="middle">{threshold}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT + 35}" text-anchor="middle">similarity threshold, %</text>'
    yield f'<text x="{LEFT}" y="18">share of visits (logarithmic)</text>'


def _x(threshold: float) -> float:
    return LEFT + (threshold - 80) / 20 * (WIDTH - LEFT - 20)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP) * math.log10(max(share, FLOOR)) / math.log10(FLOOR)
