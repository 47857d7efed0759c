"""The emulated AWS: one endpoint, our own services, and moto's for the rest."""

from sightline_local.cloud.lean_moto import import_step_functions

import_step_functions()  # before anything else here imports moto
