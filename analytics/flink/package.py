"""Write the package of the service: package.py JAR ZIP. The same files make the same bytes."""

import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
JAR_IN_ZIP = "lib/pyflink-dependencies.jar"
ALWAYS = (2026, 1, 1, 0, 0, 0)  # not the time of a checkout, so that nothing is deployed anew for it


def contents(jar: Path) -> dict[str, Path]:
    """What the package holds: the names in it, and the files."""
    statements = {f"sql/{file.name}": file for file in sorted((HERE / "sql").glob("*.sql"))}
    return {"main.py": HERE / "main.py", **statements, JAR_IN_ZIP: jar}


def write(jar: Path, package: Path) -> None:
    unfinished = package.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w") as made:
        for name, file in contents(jar).items():
            entry = zipfile.ZipInfo(name, ALWAYS)
            entry.external_attr = 0o100644 << 16
            # A jar is compressed already.
            entry.compress_type = zipfile.ZIP_STORED if name == JAR_IN_ZIP else zipfile.ZIP_DEFLATED
            made.writestr(entry, file.read_bytes())
    unfinished.replace(package)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
