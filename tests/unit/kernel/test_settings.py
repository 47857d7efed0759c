import pytest

from sightline.settings import Settings, SettingsError


class DoorSettings(Settings):
    doors_table: str
    close_after_seconds: int


def test_settings_are_read_from_variables_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORS_TABLE", "doors")
    monkeypatch.setenv("CLOSE_AFTER_SECONDS", "7")

    settings = DoorSettings.from_env()

    assert settings == DoorSettings(doors_table="doors", close_after_seconds=7)


def test_every_variable_that_is_missing_or_unreadable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORS_TABLE", raising=False)
    monkeypatch.setenv("CLOSE_AFTER_SECONDS", "soon")

    with pytest.raises(SettingsError, match="CLOSE_AFTER_SECONDS, DOORS_TABLE"):
        DoorSettings.from_env()
