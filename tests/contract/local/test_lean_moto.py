"""That moto is imported without its EC2 catalogue, and that it still needs our help for that."""

import subprocess
import sys

LOADED = "print(any(name in sys.modules for name in ('moto.ec2', 'moto.ec2.models')))"


def _says(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_runtime_comes_without_the_catalogue_of_ec2() -> None:
    assert _says(f"import sys, sightline_local.assembly; {LOADED}") == "False"


def test_moto_alone_imports_the_catalogue_for_its_step_functions() -> None:
    """When this fails, moto needs no help any more: take lean_moto.py out."""
    assert _says(f"import sys, moto.stepfunctions.parser.asl.parse.preprocessor; {LOADED}") == "True"


def test_what_stood_in_for_batch_does_not_stay() -> None:
    names = "[name for name in sys.modules if name.startswith('moto.batch')]"

    assert _says(f"import sys, sightline_local.cloud; print({names})") == "[]"
