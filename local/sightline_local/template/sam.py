"""Expands AWS::Serverless resources into plain CloudFormation with AWS's own translator, offline."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from sightline_local.errors import TemplateError
from sightline_local.template.source import Source

TRANSFORM = "AWS::Serverless-2016-10-31"
# The translator wants code in S3. In this bucket "keys" are paths on this machine.
LOCAL_FILES = "files-of-this-machine"
_LOCAL_URIS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


def expand(source: Source, parameters: Mapping[str, str | list[str]], region: str) -> dict[str, Any]:
    """The document with every serverless resource replaced; TemplateError where the translator refuses."""
    document = copy.deepcopy(source.document)
    if document.get("Transform") is None:
        return document
    asked = document["Transform"]
    for transform in asked if isinstance(asked, list) else [asked]:
        if transform != TRANSFORM:
            raise source.error(f"the local runtime does not know the transform {transform}", "Transform")
    document["Transform"] = TRANSFORM
    _point_at_local_files(source, document)
    return _translate(source, document, parameters, region)


def _point_at_local_files(source: Source, document: dict[str, Any]) -> None:
    shared = document.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for logical_id, resource in document.get("Resources", {}).items():
        name = _LOCAL_URIS.get(resource.get("Type", ""))
        if name is None:
            continue
        properties = resource.setdefault("Properties", {})
        uri = properties.get(name, shared if name == "CodeUri" else None)
        if uri is None:
            continue
        place = ("Resources", logical_id, "Properties", name)
        if not isinstance(uri, str) or uri.startswith("s3:"):
            raise source.error(f"{name} must be a path on this machine to run here", *place)
        path = (source.file.parent / uri).resolve()
        if not path.exists():
            raise source.error(f"{name}: {uri} does not exist", *place)
        properties[name] = {"Bucket": LOCAL_FILES, "Key": str(path)}


def local_path(source: Source, location: Any, *place: str | int) -> Path:
    """The path that `_point_at_local_files` hid in an S3 location; TemplateError for real S3 locations."""
    if isinstance(location, dict):
        bucket = location.get("S3Bucket", location.get("Bucket"))
        key = location.get("S3Key", location.get("Key"))
        if bucket == LOCAL_FILES and isinstance(key, str) and len(location) == 2:
            return Path(key)
    raise source.error("only files of this machine can run here, not code in S3 or inline", *place)


def _translate(
    source: Source, document: dict[str, Any], parameters: Mapping[str, str | list[str]], region: str
) -> dict[str, Any]:
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        translated: dict[str, Any] = translator.translate(document, parameter_values=dict(parameters))
    except InvalidDocumentException as error:
        raise _refusal(source, error) from error
    finally:
        translator.metrics.publish()  # to nobody; it would complain on stderr that nobody did
    return translated


def _refusal(source: Source, error: Any) -> TemplateError:
    cause = error.causes[0] if error.causes else error
    logical_id = getattr(cause, "_logical_id", None)
    text = str(getattr(cause, "message", cause)).replace("\n", " ")
    marker = (
        "is invalid. "  # "Resource with id [X] is invalid. property Y not defined for resource of type Z"
    )
    text = text.split(marker, 1)[-1]
    if not logical_id:
        return source.error(text)
    place: tuple[str | int, ...] = ("Resources", logical_id)
    named = next((word for word in text.split() if (*place, "Properties", word) in source.lines), None)
    return source.error(text, *place, *(["Properties", named] if named else []))
