"""The program as it is typed: exit codes, and one line for every mistake."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from sightline_cli.app import main
from sightline_cli.errors import INTERRUPTED, CliError


def the_line_of(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["camera", "--file", "x.mp4"], "Missing option '--device'"),
        (["camera", "--device", "gate"], "Missing option '--file'"),
        (["camera", "--device", "gate", "--webcam", "0"], "--webcam"),
        (["replay", "--device", "gate"], "Missing argument 'RECORDS.jsonl'"),
        (["replay", "--device", "gate", "--speed", "-1", "x"], "--speed"),
        (["up", "--port", "seven"], "--port"),
        (["up", "--port", "70000"], "--port"),
        (["reset"], "Missing option '--data-dir'"),
        (["reset", "--data-dir", "x"], "--yes"),
        (["token", "--aws", "--aws-port", "4566"], "--aws is the real account"),
        (["env", "--aws-port", "4567", "--endpoint-url", "http://x"], "two endpoints"),
    ],
)
def test_a_misuse_is_one_line_and_exit_code_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)

    assert told in the_line_of(capsys)
    assert code == 2


def test_help_lists_the_commands_and_nothing_of_later_parts(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--help"])

    told = capsys.readouterr().out
    assert code == 0
    assert all(command in told for command in ("up", "demo", "camera", "replay", "watch", "token", "env"))
    assert "data-dir" not in told


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main([])

    assert "Commands:" in capsys.readouterr().out
    assert code == 2


def test_help_comes_without_importing_anything_heavy() -> None:
    script = (
        "import sys; from sightline_cli.app import main; main(['--help']);"
        "sys.exit(len({'boto3', 'av', 'numpy', 'moto', 'rich'} & set(sys.modules)))"
    )

    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert time.monotonic() - began < 3


def test_a_record_file_that_does_not_exist_is_told_before_the_network_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["replay", "--device", "gate", str(tmp_path / "nothing.jsonl")])

    assert the_line_of(capsys) == f"sightline: {tmp_path}/nothing.jsonl: No such file or directory"
    assert code == 1


@pytest.mark.parametrize(
    ("content", "told"), [(b"hello, I am no video\n" * 50, "not"), (b"", "not")], ids=["text", "empty"]
)
def test_a_file_that_is_no_video_is_told_before_the_network_is_touched(
    content: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(content)

    code = main(["camera", "--device", "gate", "--file", str(file)])

    line = the_line_of(capsys)
    assert str(file) in line or file.name in line
    assert told in line
    assert code == 1


def test_an_error_that_nobody_foresaw_is_one_line_that_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sightline_cli.environment.export_lines", lambda _: 1 / 0)

    code = main(["env"])

    assert "unexpected ZeroDivisionError: division by zero (--debug shows more)" in the_line_of(capsys)
    assert code == 1


def test_debug_shows_the_traceback_wherever_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGHTLINE_DEBUG", "")
    monkeypatch.setattr("sightline_cli.environment.export_lines", lambda _: 1 / 0)

    main(["env", "--debug"])

    assert "Traceback" in capsys.readouterr().err


def test_a_message_of_several_lines_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> list[str]:
        raise CliError("one\n  two\n")

    monkeypatch.setattr("sightline_cli.environment.export_lines", fail)

    main(["env"])

    assert the_line_of(capsys) == "sightline: one two"


def test_control_c_is_exit_code_130_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("sightline_cli.environment.export_lines", interrupt)

    code = main(["env"])

    assert capsys.readouterr().err.strip() == ""
    assert code == INTERRUPTED


def test_env_prints_lines_for_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["env", "--aws-port", "4999"])

    lines = capsys.readouterr().out.splitlines()
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4999" in lines
    assert "export AWS_ACCESS_KEY_ID=local" in lines
    assert "export AWS_SECRET_ACCESS_KEY=local" in lines
    assert "export AWS_REGION=us-east-1" in lines
    assert "unset AWS_SESSION_TOKEN AWS_PROFILE" in lines
    assert code == 0
