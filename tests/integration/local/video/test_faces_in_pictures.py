"""Collections, IndexFaces, SearchFacesByImage and DetectFaces through boto3, on real photos."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image, ImageEnhance, ImageFilter

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def rekognition(cloud: Any) -> Any:
    client = cloud.client("rekognition")
    client.create_collection(CollectionId="people")
    return client


def a_photo(media: Path, change: Any = lambda image: image) -> bytes:
    out = BytesIO()
    change(Image.open(media / "pd/astronaut.png").convert("RGB")).save(out, "PNG")
    return out.getvalue()


def a_picture_without_faces(side: int = 200) -> bytes:
    out = BytesIO()
    Image.new("RGB", (side, side), (40, 90, 160)).save(out, "JPEG")
    return out.getvalue()


def two_people(media: Path) -> bytes:
    left, right = (
        Image.open(media / "pd" / name).convert("RGB") for name in ("astronaut.png", "grace_hopper.jpg")
    )
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    out = BytesIO()
    both.save(out, "PNG")
    return out.getvalue()


# ---------------------------------------------------------------- collections


def test_a_collection_is_made_described_listed_and_deleted(rekognition: Any) -> None:
    described = rekognition.describe_collection(CollectionId="people")
    assert described["FaceCount"] == 0
    assert described["CollectionARN"] == "arn:aws:rekognition:us-east-1:123456789012:collection/people"
    assert rekognition.list_collections()["CollectionIds"] == ["people"]

    rekognition.delete_collection(CollectionId="people")

    with pytest.raises(ClientError, match="The collection id: people does not exist"):
        rekognition.describe_collection(CollectionId="people")


def test_a_collection_is_made_once(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        rekognition.create_collection(CollectionId="people")


def test_an_id_with_a_space_is_refused(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="regular expression pattern"):
        rekognition.create_collection(CollectionId="my people")


def test_a_token_of_nobody_is_refused(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="InvalidPaginationTokenException"):
        rekognition.list_collections(NextToken="%%")


def test_operations_that_are_not_emulated_are_refused_by_name(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="CreateUser"):
        rekognition.create_user(CollectionId="people", UserId="u")


# ---------------------------------------------------------------- indexing


@pytest.mark.media
def test_an_indexed_face_is_returned_listed_and_counted(rekognition: Any, media: Path) -> None:
    answer = rekognition.index_faces(
        CollectionId="people", Image={"Bytes": a_photo(media)}, ExternalImageId="ada", MaxFaces=1
    )

    face = answer["FaceRecords"][0]["Face"]
    assert UUID.fullmatch(face["FaceId"])
    assert UUID.fullmatch(face["ImageId"])
    assert face["ExternalImageId"] == "ada"
    assert answer["UnindexedFaces"] == []
    detail = answer["FaceRecords"][0]["FaceDetail"]
    assert set(detail) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert rekognition.list_faces(CollectionId="people")["Faces"] == [face]
    assert rekognition.describe_collection(CollectionId="people")["FaceCount"] == 1


@pytest.mark.media
def test_the_same_photo_has_the_same_ids_and_is_kept_once(rekognition: Any, media: Path) -> None:
    rekognition.create_collection(CollectionId="others")
    request = {"Image": {"Bytes": a_photo(media)}, "ExternalImageId": "ada"}

    faces = [
        rekognition.index_faces(CollectionId=collection, **request)["FaceRecords"][0]["Face"]
        for collection in ("people", "people", "others")
    ]

    assert faces[0] == faces[1] == faces[2]
    assert rekognition.describe_collection(CollectionId="people")["FaceCount"] == 1


@pytest.mark.media
def test_the_same_photo_for_somebody_else_is_another_face(rekognition: Any, media: Path) -> None:
    ids = {
        rekognition.index_faces(
            CollectionId="people", Image={"Bytes": a_photo(media)}, ExternalImageId=external
        )["FaceRecords"][0]["Face"]["FaceId"]
        for external in ("ada", "eve")
    }

    assert len(ids) == 2
    assert rekognition.describe_collection(CollectionId="people")["FaceCount"] == 2


@pytest.mark.media
def test_only_the_largest_faces_are_indexed_when_there_are_too_many(rekognition: Any, media: Path) -> None:
    answer = rekognition.index_faces(CollectionId="people", Image={"Bytes": two_people(media)}, MaxFaces=1)

    left_out = answer["UnindexedFaces"]
    assert [face["Reasons"] for face in left_out] == [["EXCEEDS_MAX_FACES"]]
    kept = answer["FaceRecords"][0]["Face"]["BoundingBox"]
    assert kept["Width"] > left_out[0]["FaceDetail"]["BoundingBox"]["Width"]
    assert "ExternalImageId" not in answer["FaceRecords"][0]["Face"]


@pytest.mark.media
@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("LOW_SHARPNESS", lambda image: image.filter(ImageFilter.GaussianBlur(3))),
        ("LOW_BRIGHTNESS", lambda image: ImageEnhance.Brightness(image).enhance(0.2)),
    ],
)
def test_a_bad_photo_is_not_indexed_unless_the_filter_is_off(
    rekognition: Any, media: Path, reason: str, change: Any
) -> None:
    image = {"Bytes": a_photo(media, change)}

    filtered = rekognition.index_faces(CollectionId="people", Image=image)
    forced = rekognition.index_faces(CollectionId="people", Image=image, QualityFilter="NONE")

    assert filtered["FaceRecords"] == []
    assert reason in filtered["UnindexedFaces"][0]["Reasons"]
    assert len(forced["FaceRecords"]) == 1


def test_a_picture_without_a_face_indexes_nothing(rekognition: Any) -> None:
    answer = rekognition.index_faces(CollectionId="people", Image={"Bytes": a_picture_without_faces()})

    assert answer["FaceRecords"] == answer["UnindexedFaces"] == []


@pytest.mark.media
def test_deleted_faces_are_gone_and_unknown_ones_are_reported(rekognition: Any, media: Path) -> None:
    face = rekognition.index_faces(CollectionId="people", Image={"Bytes": a_photo(media)})["FaceRecords"][0][
        "Face"
    ]
    unknown = "00000000-0000-0000-0000-000000000000"

    answer = rekognition.delete_faces(CollectionId="people", FaceIds=[face["FaceId"], unknown])

    assert answer["DeletedFaces"] == [face["FaceId"]]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": unknown, "Reasons": ["FACE_NOT_FOUND"]}]
    assert rekognition.list_faces(CollectionId="people")["Faces"] == []


@pytest.mark.media
def test_faces_are_listed_page_by_page(rekognition: Any, media: Path) -> None:
    for external in ("a", "b", "c"):
        rekognition.index_faces(
            CollectionId="people", Image={"Bytes": a_photo(media)}, ExternalImageId=external
        )

    pages = list(
        rekognition.get_paginator("list_faces").paginate(
            CollectionId="people", PaginationConfig={"PageSize": 2}
        )
    )

    assert [len(page["Faces"]) for page in pages] == [2, 1]


# ---------------------------------------------------------------- searching


@pytest.mark.media
def test_the_largest_face_is_searched_and_the_right_person_found(rekognition: Any, media: Path) -> None:
    for name in ("astronaut.png", "grace_hopper.jpg"):
        photo = (media / "pd" / name).read_bytes()
        rekognition.index_faces(CollectionId="people", Image={"Bytes": photo}, ExternalImageId=name)

    found = rekognition.search_faces_by_image(CollectionId="people", Image={"Bytes": two_people(media)})

    assert [match["Face"]["ExternalImageId"] for match in found["FaceMatches"]] == ["grace_hopper.jpg"]
    assert found["FaceMatches"][0]["Similarity"] > 95
    assert found["SearchedFaceConfidence"] > 90
    assert found["SearchedFaceBoundingBox"]["Left"] > 0.5


@pytest.mark.media
def test_a_stranger_matches_nobody(rekognition: Any, media: Path) -> None:
    photo = (media / "pd/grace_hopper.jpg").read_bytes()
    rekognition.index_faces(CollectionId="people", Image={"Bytes": photo})

    found = rekognition.search_faces_by_image(
        CollectionId="people", Image={"Bytes": a_photo(media)}, FaceMatchThreshold=0
    )

    assert found["FaceMatches"] == []  # a threshold under 80 counts as 80


def test_a_search_in_a_picture_without_a_face_is_an_invalid_parameter(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="There are no faces in the image"):
        rekognition.search_faces_by_image(CollectionId="people", Image={"Bytes": a_picture_without_faces()})


@pytest.mark.media
def test_faces_are_detected_largest_first(rekognition: Any, media: Path) -> None:
    details = rekognition.detect_faces(Image={"Bytes": two_people(media)})["FaceDetails"]

    widths = [detail["BoundingBox"]["Width"] for detail in details]
    assert len(widths) == 2
    assert widths == sorted(widths, reverse=True)


# ---------------------------------------------------------------- pictures that are none


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ({"Bytes": b"this is no picture"}, "InvalidImageFormatException"),
        ({"Bytes": a_picture_without_faces()[:500]}, "InvalidImageFormatException"),
        ({"Bytes": a_picture_without_faces(side=60)}, "InvalidParameterException"),
        ({"S3Object": {"Bucket": "bucket", "Name": "photo.jpg"}}, "InvalidS3ObjectException"),
        ({"S3Object": {"Bucket": "bucket"}}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
        ({"Bytes": b"x" * 5_242_881}, "ValidationException"),
    ],
    ids=["text", "cut off", "too small", "not in S3", "half a place", "nothing", "too large"],
)
def test_a_bad_image_is_refused_and_changes_nothing(
    rekognition: Any, image: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError, match=code):
        rekognition.index_faces(CollectionId="people", Image=image)

    assert rekognition.describe_collection(CollectionId="people")["FaceCount"] == 0


def test_a_picture_in_s3_is_read_with_the_rights_of_the_caller(cloud: Any, rekognition: Any) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="photos")
    for key in ("mine/a.jpg", "others/a.jpg"):
        s3.put_object(Bucket="photos", Key=key, Body=a_picture_without_faces())
    role = cloud.role(
        "own",
        [
            {"Effect": "Allow", "Action": "rekognition:DetectFaces", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/mine/*"},
        ],
    )
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")

    def faces(key: str) -> list[Any]:
        image = {"S3Object": {"Bucket": "photos", "Name": key}}
        found: list[Any] = cloud.client("rekognition", lent).detect_faces(Image=image)["FaceDetails"]
        return found

    assert faces("mine/a.jpg") == []
    with pytest.raises(ClientError, match="InvalidS3ObjectException"):
        faces("others/a.jpg")


def test_attributes_that_the_engine_cannot_see_are_refused_by_name(rekognition: Any) -> None:
    with pytest.raises(ClientError, match="EMOTIONS"):
        rekognition.detect_faces(Image={"Bytes": a_picture_without_faces()}, Attributes=["EMOTIONS"])


def test_a_role_needs_the_permission_on_the_collection(cloud: Any, rekognition: Any) -> None:
    own = "arn:aws:rekognition:us-east-1:123456789012:collection/people"
    role = cloud.role(
        "own", [{"Effect": "Allow", "Action": "rekognition:DescribeCollection", "Resource": own}]
    )
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    rekognition.create_collection(CollectionId="others")
    narrow = cloud.client("rekognition", lent)

    assert narrow.describe_collection(CollectionId="people")["FaceCount"] == 0
    with pytest.raises(ClientError, match="AccessDeniedException"):
        narrow.describe_collection(CollectionId="others")
