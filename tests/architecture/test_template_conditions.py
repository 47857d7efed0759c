"""The template is right with every condition on and off: what is left out is missed by nothing.

The local runtime's reader says what refers to something that is not made, for every pair of choices; cfn-lint
says what CloudFormation would refuse, with everything on and with everything off.
"""

from itertools import combinations, product
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from sightline_local.errors import TemplateError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template

Parameters = dict[str, str]

ON_AWS = StackIdentity("sightline", "us-east-1", "111122223333")
SUBNETS = "subnet-0a1b2c3d4e5f60718,subnet-1a1b2c3d4e5f60718,subnet-2a1b2c3d4e5f60718"
PACKAGE = {"StreamingSqlBucket": "packages", "StreamingSqlPackage": "sightline-flink-1.zip"}
IMAGE = {
    "PresenceImage": "111122223333.dkr.ecr.us-east-1.amazonaws.com/presence:1",
    "PresenceVpc": "vpc-0a1b2c3d4e5f60718",
    "PresenceSubnets": SUBNETS,
}
# Whatever a condition asks for: what it may be, the first one being the default.
CHOICES: dict[str, list[Parameters]] = {
    "mail": [{}, {"AlertEmail": "guard@example.org"}],
    "lake": [{}, {"Lake": "false"}],
    "warehouse": [{}, {"Warehouse": "serverless"}, {"Warehouse": "cluster"}],
    "network": [{}, {"WarehouseVpc": "vpc-0a1b2c3d4e5f60718", "WarehouseSubnets": SUBNETS}],
    "streaming SQL": [{}, {"StreamingSql": "true"}, {"StreamingSql": "true", **PACKAGE}, PACKAGE],
    "presence": [{}, {"Presence": "true"}, {"Presence": "true", **IMAGE}, IMAGE],
}
EVERYTHING: Parameters = {name: value for each in CHOICES.values() for name, value in each[-1].items()} | {
    "Lake": "true",
    "StreamingSql": "true",
    "Presence": "true",
    "Warehouse": "serverless",
}
NOTHING: Parameters = {"Lake": "false"}


Choice = tuple[str, int]


def every_pair_of_choices() -> list[Parameters]:
    """As few combinations as it takes to have each choice together with each other one."""
    numbered = [[(name, number) for number in range(len(each))] for name, each in CHOICES.items()]
    missing = {frozenset(pair) for two in combinations(numbered, 2) for pair in product(*two)}
    found: list[Parameters] = []
    while missing:
        best = max(product(*numbered), key=lambda combination: len(missing & _pairs(combination)))
        missing -= _pairs(best)
        chosen = [CHOICES[name][number] for name, number in best]
        found.append({name: value for each in chosen for name, value in each.items()})
    return found


def _pairs(combination: tuple[Choice, ...]) -> set[frozenset[Choice]]:
    return {frozenset(pair) for pair in combinations(combination, 2)}


def loaded(file: Path, parameters: Parameters) -> Template:
    return load_template(file, ON_AWS, parameters)


def test_every_condition_is_on_in_one_of_the_choices_and_off_in_another(repository: Path) -> None:
    states: dict[str, set[bool]] = {}
    for parameters in (
        NOTHING,
        EVERYTHING,
        {"Warehouse": "cluster"},
        CHOICES["network"][1] | {"Warehouse": "cluster"},
    ):
        scope = loaded(repository / "template.yaml", parameters).scope
        for name in scope.conditions:
            states.setdefault(name, set()).add(scope.condition(name))

    assert {name for name, seen in states.items() if seen != {True, False}} == set()


@pytest.mark.parametrize("parameters", every_pair_of_choices(), ids=lambda each: ",".join(each) or "none")
def test_what_a_condition_leaves_out_is_missed_by_nothing(parameters: Parameters, repository: Path) -> None:
    loaded(repository / "template.yaml", parameters)


def test_a_resource_that_stays_without_what_it_needs_is_found(repository: Path, tmp_path: Path) -> None:
    text = (repository / "template.yaml").read_text()
    there = "Type: AWS::KinesisFirehose::DeliveryStream\n    Condition: HasStreamingSqlLake\n"
    assert there in text
    for folder in ("functions", "layers", "statemachines", "libs"):
        (tmp_path / folder).symlink_to(repository / folder)
    file = tmp_path / "template.yaml"
    file.write_text(text.replace(there, there.replace("HasStreamingSqlLake", "HasStreamingSql")))

    with pytest.raises(TemplateError, match="which is not made"):
        loaded(file, {"StreamingSql": "true", "Lake": "false"})


@pytest.mark.parametrize("parameters", [NOTHING, EVERYTHING, EVERYTHING | {"Warehouse": "cluster"}])
def test_cfn_lint_has_nothing_to_say(parameters: Parameters, repository: Path) -> None:
    text = (repository / "template.yaml").read_text()

    found = lint(text, config=ManualArgs(parameters=[parameters]))

    assert [f"{match.linenumber}: {match}" for match in found] == []
