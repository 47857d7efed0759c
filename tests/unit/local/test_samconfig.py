"""Parameters that samconfig.toml gives to `sam deploy` count here too."""

from pathlib import Path

import pytest

from sightline_local.errors import TemplateError
from sightline_local.template.parameters import read_samconfig

HEAD = "version = 0.1\n[default.deploy.parameters]\n"


@pytest.mark.parametrize("overrides", ['"Gap=7 Name=\\"a b\\""', '["Gap=7", "Name=a b"]'])
def test_overrides_are_read_from_a_text_and_from_a_list(tmp_path: Path, overrides: str) -> None:
    (tmp_path / "samconfig.toml").write_text(f"{HEAD}parameter_overrides = {overrides}\n")
    assert read_samconfig(tmp_path / "template.yaml") == {"Gap": "7", "Name": "a b"}


def test_without_a_samconfig_nothing_is_overridden(tmp_path: Path) -> None:
    assert read_samconfig(tmp_path / "template.yaml") == {}


@pytest.mark.parametrize("content", ["not toml", f'{HEAD}parameter_overrides = "Gap"\n'])
def test_a_samconfig_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "samconfig.toml").write_text(content)
    with pytest.raises(TemplateError, match=r"^samconfig.toml: "):
        read_samconfig(tmp_path / "template.yaml")
