"""What `make presence-install` says on a machine that lacks something, and what it asks Maven for."""

import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

POM = "{http://maven.apache.org/POM/4.0.0}"


@pytest.fixture
def machine(tmp_path):
    """A PATH with nothing on it but what every shell script needs."""
    for name in ("sed", "head"):
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def program(machine, name, says):
    path = machine / name
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    path.chmod(0o755)


def check(repository, machine):
    return subprocess.run(
        ["/bin/sh", str(repository / "tools" / "find-java"), "--check", "The presence worker"],
        env={"PATH": str(machine)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_java_one_line_says_what_to_install(repository, machine):
    done = check(repository, machine)

    assert done.returncode == 1
    assert done.stderr.startswith("The presence worker needs Java 17 or newer: install it")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("version", ["1.8.0_412", "11.0.2"])
def test_an_older_java_is_named(repository, machine, version):
    program(machine, "java", f'openjdk version "{version}" 2019-01-15')

    done = check(repository, machine)

    assert done.returncode == 1
    assert f'"{version}"' in done.stderr


def test_without_maven_one_line_says_so(repository, machine):
    program(machine, "java", 'openjdk version "21" 2023-09-19')

    done = check(repository, machine)

    assert done.returncode == 1
    assert "Maven" in done.stderr


@pytest.mark.parametrize("version", ["17.0.15", "21", "25-ea"])
def test_with_both_nothing_is_said(repository, machine, version):
    program(machine, "java", f'openjdk version "{version}" 2025-04-15')
    program(machine, "mvn", "")

    done = check(repository, machine)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_jars_are_those_of_the_kclpy_that_is_installed(repository):
    folder = repository / "containers" / "presence_worker"
    pom = ET.parse(folder / "pom.xml").getroot()

    asked = pom.findtext(f"{POM}properties/{POM}kcl.version")

    assert f"amazon_kclpy=={asked} " in (folder / "requirements-kclpy.txt").read_text()


def test_what_is_installed_is_pinned_by_hash(repository):
    folder = repository / "containers" / "presence_worker"
    for name in ("requirements.txt", "requirements-kclpy.txt"):
        pinned = [line for line in (folder / name).read_text().splitlines() if line and line[0] not in " #"]

        assert pinned
        assert all("==" in line and line.endswith("\\") for line in pinned)
