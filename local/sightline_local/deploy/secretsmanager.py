"""AWS::SecretsManager: secrets, given or generated."""

import hashlib
import json
import string
from collections.abc import Mapping
from typing import Any

from moto.secretsmanager.utils import SecretsManagerSecretIdentifier
from moto.utilities.id_generator import moto_id_manager

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_FACT = "secretsmanager.generated"
_RULES = (
    *("ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase"),
    *("IncludeSpace", "PasswordLength", "RequireEachIncludedType"),
)


def _make_secret(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("Name") or site.physical_name(resource.logical_id, longest=512)
    if "SecretString" in properties and "GenerateSecretString" in properties:
        raise resource.error("cannot have both SecretString and GenerateSecretString", "SecretString")
    _fix_suffix(name, site)
    value = properties.get("SecretString", "")
    if rules := properties.get("GenerateSecretString"):
        value = _generated(name, rules, site)
    secret = site.client("secretsmanager").create_secret(
        Name=name,
        Description=properties.get("Description", ""),
        SecretString=value,
        Tags=properties.get("Tags", []),
    )
    return Made(secret["ARN"], {"Id": secret["ARN"]})


def _fix_suffix(name: str, site: Site) -> None:
    """The six letters behind the name in the ARN: random on AWS, the same at every start here."""
    digest = hashlib.sha256(f"{site.stack.name}/{name}".encode()).digest()
    suffix = "".join(string.ascii_letters[byte % 52] for byte in digest[:6])
    secret = SecretsManagerSecretIdentifier(site.stack.account, site.stack.region, name)
    moto_id_manager.set_custom_id(secret, suffix)


def _generated(name: str, rules: Mapping[str, Any], site: Site) -> str:
    """Made once: with a data directory the secret stays the same."""
    if kept := site.facts.get(_FACT, name):
        return kept.decode()
    settings = {key: _typed(rules[key]) for key in _RULES if key in rules}
    value = str(site.client("secretsmanager").get_random_password(**settings)["RandomPassword"])
    if key := rules.get("GenerateStringKey"):
        value = json.dumps({**json.loads(rules.get("SecretStringTemplate", "{}")), key: value})
    site.facts.put(_FACT, name, value.encode())
    return value


def _typed(value: Any) -> Any:
    """Templates may write numbers and booleans as text."""
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() else value


SECRET = ResourceType(
    name="AWS::SecretsManager::Secret",
    accepts={
        "Description": CARRIED,
        "GenerateSecretString": dict.fromkeys(
            (*_RULES, "GenerateStringKey", "SecretStringTemplate"), CARRIED
        ),
        "KmsKeyId": WITHOUT_EFFECT,  # the secret stays in this process
        "Name": CARRIED,
        "SecretString": CARRIED,
        "Tags": CARRIED,
    },
    create=_make_secret,
    attributes=frozenset({"Id"}),
)
