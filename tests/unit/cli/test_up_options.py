"""What `sightline up` makes of its command line."""

import pytest

from sightline_cli.errors import MisuseError
from sightline_cli.up import read_parameters


def test_parameters_are_names_and_values() -> None:
    given = ["Warehouse=serverless", "AlertEmail=", "Query=a=b"]

    assert read_parameters(given) == {"Warehouse": "serverless", "AlertEmail": "", "Query": "a=b"}


@pytest.mark.parametrize("wrong", ["Warehouse", "=serverless", ""])
def test_what_has_no_name_or_no_sign_is_a_misuse(wrong: str) -> None:
    with pytest.raises(MisuseError, match="say NAME=VALUE"):
        read_parameters(["Lake=false", wrong])
