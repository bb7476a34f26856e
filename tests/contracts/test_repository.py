"""Promises about the repository itself: the lock, what is committed, what leaves the machine."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    """Files of the repository; in a plain copy without git, every text file that is not ignored by name."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_the_lock_has_a_hash_for_every_package_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = re.findall(r"^[\w.\-\[\]]+==", lock, flags=re.MULTILINE)
    assert len(packages) > 100
    hashed = re.findall(r"^[\w.\-\[\]]+==\S+( ;.*)? \\\n    --hash=sha256:", lock, flags=re.MULTILINE)
    assert len(hashed) == len(packages)
    assert "://" not in lock


def test_the_versions_that_break_silently_stay_out() -> None:
    lock = dict(re.findall(r"^([\w.\-]+)==([\w.+]+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    assert tuple(map(int, lock["fastapi"].split("."))) <= (0, 150, 0)
    assert tuple(map(int, lock["sqlalchemy"].split(".")[:2])) < (2, 1)


def test_no_weights_data_or_pictures_dumps_are_committed() -> None:
    for path in tracked():
        assert path.suffix not in {".pth", ".pt", ".onnx", ".npy", ".npz", ".parquet", ".safetensors"}, path
        assert path.stat().st_size < 700_000, f"{path} is large for a source file"


def test_no_path_of_a_machine_is_written_down() -> None:
    places = re.compile(r"(?<![\w.])/(home|root|work|Users)/[a-z]")
    for path in tracked():
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".in", ".lock", ".cfg"} and path != Path(__file__):
            assert not places.search(path.read_text(encoding="utf-8")), path


def test_no_package_registry_is_named() -> None:
    hosts = re.compile("|".join(("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs")))
    for path in tracked():
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".in", ".lock", ".cfg", ".json", ".html"} or not path.suffix:
            assert not hosts.search(path.read_text(encoding="utf-8")), path
