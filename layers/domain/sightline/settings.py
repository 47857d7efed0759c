"""Environment → frozen, typed settings: the only place that reads the environment."""

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(Exception):
    """A variable of the function is missing or cannot be read: the template is at fault."""


class Settings(BaseModel):
    """Field `devices_table` reads `DEVICES_TABLE`; a subclass names exactly what its function needs."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_env(cls) -> Self:
        """Read this class's variables; SettingsError names each one that is missing or wrong."""
        found = {name: os.environ[name.upper()] for name in cls.model_fields if name.upper() in os.environ}
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            # A ValidationError would reach the HTTP doors as if the caller had sent something wrong.
            wrong = ", ".join(sorted(str(each["loc"][0]).upper() for each in error.errors()))
            raise SettingsError(f"environment variables missing or unreadable: {wrong}") from None
