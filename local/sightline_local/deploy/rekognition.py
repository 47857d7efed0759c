"""AWS::Rekognition: collections of faces."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_collection(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    collection_id = properties["CollectionId"]
    arn = site.client("rekognition").create_collection(CollectionId=collection_id)["CollectionArn"]
    return Made(collection_id, {"Arn": arn})


COLLECTION = ResourceType(
    name="AWS::Rekognition::Collection",
    accepts={"CollectionId": CARRIED, "Tags": WITHOUT_EFFECT},
    create=_make_collection,
    attributes=frozenset({"Arn"}),
    required=frozenset({"CollectionId"}),
)
