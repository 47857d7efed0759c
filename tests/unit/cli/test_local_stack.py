"""Where the template is found."""

from pathlib import Path

import pytest

from sightline_cli.errors import CliError
from sightline_cli.local_stack import find_template


def test_the_nearest_template_above_is_taken(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)

    assert find_template(None, tmp_path / "a" / "b") == tmp_path / "template.yaml"


def test_elsewhere_it_is_the_template_of_the_checkout(tmp_path: Path, repository: Path) -> None:
    assert find_template(None, tmp_path) == repository / "template.yaml"


def test_a_given_template_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no such file"):
        find_template(tmp_path / "t.yaml", tmp_path)
