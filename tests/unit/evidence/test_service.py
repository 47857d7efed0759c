"""Evidence is collected once Kinesis Video has it, whatever happens on the way."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sightline.errors import UnavailableError
from sightline.evidence import model
from sightline.evidence.model import CLIP, FILES, FRAME, EvidenceRequest, Manifest, NoVideoError
from sightline.evidence.service import EvidenceCollector
from tests.fakes.devices import FakeClock
from tests.fakes.evidence import FILM_BEGAN, FakeArchive, FakeStudio, FakeVault, an_alert

ALERT_ID = an_alert()["alert_id"]
# Fragment 100 runs from 200 s to 202 s; the frame is 1.5 s into it.
FRAME_AT = FILM_BEGAN + timedelta(seconds=201.5)


class World:
    """The alert was published 3 s after the frame."""

    def __init__(self, **archive: Any) -> None:
        self.clock = FakeClock(FRAME_AT + timedelta(seconds=3))
        self.published_at = self.clock()
        self.archive = FakeArchive(self.clock, **archive)
        self.studio = FakeStudio()
        self.vault = FakeVault()

    def collect(self, **changes: Any) -> str:
        collector = EvidenceCollector(self.archive, self.studio, self.vault, self.clock, self._pause)
        request = EvidenceRequest.from_alert(json.dumps(an_alert(**changes)))
        return collector.collect(request, self.published_at)

    def _pause(self, seconds: float) -> None:
        assert seconds > 0
        self.clock.move(seconds=seconds)

    @property
    def manifest(self) -> Manifest:
        return self.vault.manifests[ALERT_ID]

    def stored(self) -> set[str]:
        return {name for _, name in self.vault.objects}


def test_everything_is_collected_as_soon_as_the_clip_is_over() -> None:
    world = World()

    assert world.collect() == "complete"

    assert world.stored() == set(FILES)
    # The clip ends in fragment 105 (210 to 212 s), which is there a second after its end.
    waited = world.clock() - FRAME_AT
    assert timedelta(seconds=11.5) <= waited <= timedelta(seconds=14)


def test_the_clip_begins_one_fragment_early_and_ends_in_the_fragment_of_its_end() -> None:
    world = World()

    world.collect()

    # Wanted are 191.5 s to 211.5 s: the fragment at 190 s runs already then, the one at 210 s runs on.
    (span,) = world.archive.clips
    assert span.asked_from == FILM_BEGAN + timedelta(seconds=190)
    assert span.asked_to == FILM_BEGAN + timedelta(seconds=210)
    assert world.manifest.clip == model.ClipTimes(
        FILM_BEGAN + timedelta(seconds=190), FILM_BEGAN + timedelta(seconds=212), 11
    )


def test_the_hashes_of_the_manifest_are_those_of_the_files_that_lie_there() -> None:
    world = World()
    world.vault.objects[ALERT_ID, FRAME] = b"what a first attempt wrote"

    world.collect()

    listed = {each.name: each for each in world.manifest.files}
    for (_, name), content in world.vault.objects.items():
        assert listed[name] == model.StoredFile.of(name, content)


def test_the_same_alert_again_changes_nothing() -> None:
    world = World()
    world.collect()
    before, clips = dict(world.vault.objects), len(world.archive.clips)

    assert world.collect() == "closed"

    assert world.vault.objects == before
    assert len(world.archive.clips) == clips


@pytest.mark.parametrize("fails_at", [*FILES, "manifest.json"])
def test_a_failure_at_any_write_is_made_good_by_the_next_attempt(fails_at: str) -> None:
    world = World()
    world.vault.fails_at = lambda name: name == fails_at
    with pytest.raises(UnavailableError):
        world.collect()
    assert not world.vault.is_closed(ALERT_ID)

    world.vault.fails_at = lambda _name: False

    assert world.collect() == "complete"
    assert world.stored() == set(FILES)


def test_a_camera_that_stops_leaves_a_shorter_clip() -> None:
    world = World(newest=102)

    assert world.collect() == "complete"

    assert world.manifest.clip
    assert world.manifest.clip.end == FILM_BEGAN + timedelta(seconds=206)
    assert world.clock() - FRAME_AT < timedelta(seconds=45), "it does not wait for ever"


def test_a_camera_whose_clock_is_an_hour_slow_has_its_clip_too() -> None:
    world = World(skew=-timedelta(hours=1))

    assert world.collect() == "complete"

    assert world.manifest.frame_at == FRAME_AT - timedelta(hours=1)
    assert world.manifest.clip
    assert world.manifest.clip.fragments == 11


def test_a_fragment_that_is_late_is_waited_for_by_the_next_attempts() -> None:
    world = World(delay=timedelta(seconds=90))
    with pytest.raises(UnavailableError, match="not in the archive yet"):
        world.collect()

    world.clock.move(seconds=60)

    assert world.collect() == "complete"


def test_a_fragment_that_never_comes_is_given_up_on_and_the_manifest_says_so() -> None:
    world = World(oldest=500)
    attempts = 0
    status = None
    while status is None:
        attempts += 1
        try:
            status = world.collect()
        except UnavailableError:
            world.clock.move(seconds=60 * attempts)

    assert attempts <= 3, "Lambda tries three times"
    assert status == "unavailable"
    assert world.stored() == {"face-record.json"}
    assert set(world.manifest.missing) == {*FILES} - {"face-record.json"}
    assert "does not have the fragment" in world.manifest.missing[FRAME]


def test_what_will_never_be_there_is_not_waited_for() -> None:
    world = World(refusal=NoVideoError("the video stream is gone"))
    before = world.clock()

    assert world.collect() == "unavailable"

    assert world.manifest.missing[CLIP] == "the video stream is gone"
    assert world.clock() == before


def test_an_outage_is_an_outage_and_not_a_missing_clip() -> None:
    world = World(refusal=UnavailableError("the video archive is busy"))

    with pytest.raises(UnavailableError):
        world.collect()

    assert not world.vault.is_closed(ALERT_ID)


def test_a_frame_that_cannot_be_decoded_costs_the_pictures_and_not_the_clip() -> None:
    world = World()
    world.studio.is_blind = True

    assert world.collect() == "unavailable"

    assert world.stored() == {CLIP, "face-record.json"}


def test_a_clip_beyond_the_limits_of_one_call_is_joined() -> None:
    world = World(fragment_bytes=20_000_000)

    world.collect()

    # 11 fragments, 4 to a call.
    assert [span.first_start for span in world.archive.clips] == [
        FILM_BEGAN + timedelta(seconds=seconds) for seconds in (190, 198, 206)
    ]
    assert world.vault.objects[ALERT_ID, CLIP] == b"0: mp4 from 190 + 8: mp4 from 198 + 16: mp4 from 206"


def test_an_old_alert_that_was_sent_late_waits_for_nothing() -> None:
    world = World()
    world.clock.move(hours=2)
    before = world.clock()

    assert world.collect() == "complete"

    assert world.clock() == before


def test_the_face_record_is_kept_as_the_alert_had_it() -> None:
    world = World()
    alert = an_alert()
    alert["evidence"]["face_record"] = {"DetectedFace": {"Confidence": 99.5}}

    world.collect(**alert)

    record = json.loads(world.vault.objects[ALERT_ID, "face-record.json"])
    assert record["face_record"] == {"DetectedFace": {"Confidence": 99.5}}
    assert record["fragment_number"] == "100"
    assert record["similarity"] == 97.25


def test_the_manifest_says_what_and_when() -> None:
    world = World()
    world.collect()

    content = json.loads(world.manifest.to_bytes())

    assert content["status"] == "complete"
    assert content["frame_at"] == "2026-11-22T13:03:21.500Z"
    assert content["clip"] == {
        "from": "2026-11-22T13:03:10.000Z",
        "to": "2026-11-22T13:03:32.000Z",
        "fragments": 11,
    }
    assert datetime.fromisoformat(content["made_at"]).tzinfo == UTC
    assert {each["name"] for each in content["files"]} == set(FILES)
