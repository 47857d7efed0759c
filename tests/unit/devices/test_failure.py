import pytest

from sightline.devices.failure import explain, made_by_this_start

ACCOUNT = "under account 123456789012 not found"


@pytest.mark.parametrize(
    ("status_message", "names"),
    [
        ("Access denied to Role", ["trust policy", "rekognition.amazonaws.com", "RekognitionRole"]),
        ("Access denied to Kinesis Video", ["kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia"]),
        ("Access denied to Kinesis Data", ["kinesis:PutRecord ", "kinesis:PutRecords"]),
        ("Access denied to Kinesis Data Stream", ["kinesis:PutRecord ", "kinesis:PutRecords"]),
        ("Stream sightline-gate-3 doesn't exist", ["video stream is gone"]),
        ("Collection not found", ["collection", "enrol"]),
        (f"Stream sightline-faces-gate-3 {ACCOUNT}", ["face stream is gone"]),
    ],
)
def test_every_documented_status_message_says_what_to_fix(status_message: str, names: list[str]) -> None:
    sentence = explain("ProcessorFailed", status_message)

    assert [name for name in names if name not in sentence] == []
    assert "start the device again" in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("error", "cause", "says"),
    [
        ("Rekognition.AccessDeniedException", "", "closed them to new customers"),
        ("Rekognition.AccessDeniedException", None, "closed them to new customers"),
        ("Rekognition.AccessDeniedException", "null (Service: Rekognition)", "closed them to new customers"),
        (
            "Rekognition.AccessDeniedException",
            "(Service: Rekognition, Status Code: 400)",
            "closed them to new customers",
        ),
        (
            "Rekognition.AccessDeniedException",
            "User x may not perform y",
            "lacks a permission (User x may not perform y)",
        ),
        ("Rekognition.LimitExceededException", "limit - 10", "10 in each Region"),
        ("Rekognition.ServiceQuotaExceededException", "quota", "quota of Rekognition"),
        ("KinesisVideo.AccountStreamLimitExceededException", "", "limit of video streams"),
        ("Kinesis.LimitExceededException", "", "limit of Kinesis shards"),
        ("KinesisVideo.ClientLimitExceededException", "", "throttling"),
        ("Kinesis.ResourceNotFoundException", "", "is being deleted"),
        ("Rekognition.ResourceNotFoundException", "The collection id: x does not exist", "enrol the people"),
        ("Rekognition.ResourceInUseException", "Stream processor x", "The processor is being deleted"),
        ("Rekognition.ThrottlingException", "slow", "throttling"),
        ("Lambda.TooManyRequestsException", "", "throttling"),
        ("ProcessorStuck", "the processor stayed STARTING for two minutes", "within two minutes"),
        ("DynamoDB.ConditionalCheckFailedException", "The conditional request failed", "later request"),
        ("States.Timeout", None, "did not answer in time"),
    ],
)
def test_what_aws_refuses_is_explained(error: str, cause: str | None, says: str) -> None:
    sentence = explain(error, cause)

    assert says in sentence
    assert sentence.endswith(".")
    assert "  " not in sentence
    assert "{" not in sentence


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (
            "Kinesis.OddException",
            "Something odd (Service: Kinesis, Request ID: 4)",
            "Kinesis.OddException: Something odd",
        ),
        ("States.TaskFailed", "", "States.TaskFailed (AWS gives no cause)"),
        (
            "KeyError",
            '{"errorMessage": "\'device\'", "stackTrace": ["File \\"x.py\\", line 1"]}',
            "KeyError: 'device'",
        ),
        ("X", "first line\n  File x.py, line 3\nTraceback", "X: first line"),
        ("X", "Invalid parameters:\nA is no number", "X: Invalid parameters: A is no number"),
        ("X", "[1, 2]", "X: [1, 2]"),
        ("ProcessorFailed", "Brand new message", "The processor failed: Brand new message"),
        ("ProcessorFailed", "", "The processor failed: Rekognition does not say why"),
    ],
)
def test_an_unknown_error_keeps_its_name_and_a_short_cause(error: str, cause: str, expected: str) -> None:
    assert explain(error, cause) == expected


def test_an_endless_cause_is_cut() -> None:
    assert len(explain("X", "why " * 1000)) < 210


def test_only_what_this_start_made_goes_again() -> None:
    made = {"video_stream": False, "face_stream": True}

    assert made_by_this_start("X", made) == {"remove_face_stream": True, "remove_video_stream": False}


def test_a_start_that_was_replaced_takes_nothing_from_its_successor() -> None:
    made = {"video_stream": True, "face_stream": True}

    gone = made_by_this_start("DynamoDB.ConditionalCheckFailedException", made)

    assert gone == {"remove_face_stream": False, "remove_video_stream": False}
