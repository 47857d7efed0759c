"""Rekognition: collections and faces, and the processors that look for them in a video stream."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

DOCS = "https://docs.aws.amazon.com/rekognition/latest"
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]


def source(page: str) -> pytest.MarkDecorator:
    return pytest.mark.source(f"{DOCS}/{page}")


def api(operation: str) -> pytest.MarkDecorator:
    return source(f"APIReference/API_{operation}.html")


@pytest.fixture
def rekognition(client: Client) -> Any:
    return client("rekognition")


@pytest.fixture
def collection(rekognition: Any, request: pytest.FixtureRequest) -> str:
    name = str(request.node.name)[:100].partition("[")[0]
    rekognition.create_collection(CollectionId=name)
    return name


def code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def picture(size: tuple[int, int] = (320, 240), kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


@api("CreateCollection")
def test_a_collection_is_made_once(rekognition: Any, refusal: Refusal) -> None:
    made = rekognition.create_collection(CollectionId="watched")
    assert made["StatusCode"] == 200
    assert made["CollectionArn"].endswith("aws:rekognition:us-east-1:123456789012:collection/watched")
    assert made["FaceModelVersion"]
    again = refusal(rekognition.create_collection, CollectionId="watched")
    assert code(again) == "ResourceAlreadyExistsException"


@api("DescribeCollection")
def test_a_collection_that_is_not_there_is_not_found(rekognition: Any, refusal: Refusal) -> None:
    calls: list[tuple[Any, dict[str, Any]]] = [
        (rekognition.describe_collection, {}),
        (rekognition.delete_collection, {}),
        (rekognition.list_faces, {}),
        (rekognition.search_faces_by_image, {"Image": {"Bytes": picture()}}),
    ]
    for call, more in calls:
        assert code(refusal(call, CollectionId="nobody", **more)) == "ResourceNotFoundException"


@api("ListCollections")
def test_collections_are_listed_page_by_page(rekognition: Any, collection: str) -> None:
    rekognition.create_collection(CollectionId=f"{collection}-2")
    page = rekognition.list_collections(MaxResults=1)
    assert (len(page["CollectionIds"]), len(page["FaceModelVersions"])) == (1, 1)
    rest = rekognition.list_collections(NextToken=page["NextToken"])
    assert page["CollectionIds"][0] not in rest["CollectionIds"]


@source("dg/limits.html")
@pytest.mark.parametrize(
    ("image", "error"),
    [
        (b"no picture", "InvalidImageFormatException"),
        (picture(kind="GIF"), "InvalidImageFormatException"),
        (b"x" * (5 * 1024 * 1024 + 1), "ValidationException"),
    ],
)
def test_a_picture_is_a_jpeg_or_png_of_five_megabytes_at_most(
    rekognition: Any, collection: str, refusal: Refusal, image: bytes, error: str
) -> None:
    given = {"CollectionId": collection, "Image": {"Bytes": image}}
    found = refusal(rekognition.index_faces, **given)
    assert code(found) == error
    rekognition.delete_collection(CollectionId=collection)


@api("IndexFaces")
def test_a_picture_in_s3_that_cannot_be_read_is_an_invalid_object(
    rekognition: Any, collection: str, refusal: Refusal
) -> None:
    image = {"S3Object": {"Bucket": "no-such-bucket", "Name": "a.jpg"}}
    error = refusal(rekognition.index_faces, CollectionId=collection, Image=image)
    assert code(error) == "InvalidS3ObjectException"


@api("SearchFacesByImage")
def test_a_search_needs_a_face(rekognition: Any, collection: str, refusal: Refusal) -> None:
    error = refusal(rekognition.search_faces_by_image, CollectionId=collection, Image={"Bytes": picture()})
    assert code(error) == "InvalidParameterException"
    assert "There are no faces in the image. Should be at least 1." in str(error)


@api("IndexFaces")
def test_a_face_is_indexed_found_and_deleted(rekognition: Any, collection: str, media: Path) -> None:
    photo = {"Bytes": (media / "pd/astronaut.png").read_bytes()}
    indexed = rekognition.index_faces(CollectionId=collection, Image=photo, ExternalImageId="eileen")
    [record] = indexed["FaceRecords"]
    face = record["Face"]
    assert set(face) >= {"FaceId", "BoundingBox", "ImageId", "ExternalImageId", "Confidence"}
    assert set(record["FaceDetail"]) >= {"BoundingBox", "Landmarks", "Pose", "Quality", "Confidence"}
    assert all(0 <= face["BoundingBox"][side] <= 1 for side in ("Left", "Top", "Width", "Height"))
    found = rekognition.search_faces_by_image(CollectionId=collection, Image=photo, FaceMatchThreshold=90)
    assert found["FaceMatches"][0]["Face"]["FaceId"] == face["FaceId"]
    assert found["FaceMatches"][0]["Similarity"] > 90
    deleted = rekognition.delete_faces(CollectionId=collection, FaceIds=[face["FaceId"]])
    assert deleted["DeletedFaces"] == [face["FaceId"]]
    assert rekognition.list_faces(CollectionId=collection)["Faces"] == []


# ------------------------------------------------------------------------------- stream processors


@pytest.fixture
def processor(
    client: Client, rekognition: Any, collection: str, role_with: Callable[..., str], until: Until
) -> dict[str, Any]:
    """What CreateStreamProcessor takes, with streams that are there and a role that may use them."""
    client("kinesisvideo").create_stream(StreamName=collection, DataRetentionInHours=24)
    client("kinesis").create_stream(StreamName=collection, ShardCount=1)
    video = client("kinesisvideo").describe_stream(StreamName=collection)["StreamInfo"]["StreamARN"]
    until(lambda: _status(client, collection) == "ACTIVE")
    faces = client("kinesis").describe_stream_summary(StreamName=collection)
    actions = ["kinesisvideo:Get*", "kinesisvideo:DescribeStream", "kinesis:PutRecord*"]
    role = role_with(
        {"Effect": "Allow", "Action": actions, "Resource": "*"},
        trust={"Principal": {"Service": "rekognition.amazonaws.com"}},
    )
    return {
        "Name": collection[:60],
        "Input": {"KinesisVideoStream": {"Arn": video}},
        "Output": {"KinesisDataStream": {"Arn": faces["StreamDescriptionSummary"]["StreamARN"]}},
        "RoleArn": role,
        "Settings": {"FaceSearch": {"CollectionId": collection, "FaceMatchThreshold": 85.5}},
    }


def _status(client: Client, stream: str) -> str:
    summary = client("kinesis").describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    return str(summary["StreamStatus"])


@api("CreateStreamProcessor")
def test_a_processor_is_made_stopped_and_once(
    rekognition: Any, processor: dict[str, Any], refusal: Refusal
) -> None:
    arn = rekognition.create_stream_processor(**processor)["StreamProcessorArn"]
    assert arn == f"arn:aws:rekognition:us-east-1:123456789012:streamprocessor/{processor['Name']}"
    found = rekognition.describe_stream_processor(Name=processor["Name"])
    assert found["Status"] == "STOPPED"
    assert found["Settings"]["FaceSearch"]["FaceMatchThreshold"] == pytest.approx(85.5)
    assert code(refusal(rekognition.create_stream_processor, **processor)) == "ResourceInUseException"
    rekognition.delete_stream_processor(Name=processor["Name"])
    error = refusal(rekognition.describe_stream_processor, Name=processor["Name"])
    assert code(error) == "ResourceNotFoundException"


@api("StartStreamProcessor")
def test_a_processor_that_runs_is_neither_started_again_nor_deleted(
    rekognition: Any, processor: dict[str, Any], refusal: Refusal, until: Until
) -> None:
    name = processor["Name"]
    rekognition.create_stream_processor(**processor)
    rekognition.start_stream_processor(Name=name)
    until(lambda: rekognition.describe_stream_processor(Name=name)["Status"] == "RUNNING")
    for call in (rekognition.start_stream_processor, rekognition.delete_stream_processor):
        assert code(refusal(call, Name=name)) == "ResourceInUseException"
    rekognition.stop_stream_processor(Name=name)
    until(lambda: rekognition.describe_stream_processor(Name=name)["Status"] == "STOPPED")
    rekognition.delete_stream_processor(Name=name)
