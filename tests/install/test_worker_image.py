"""The image of a workspace: linted, and of the Python and the packages that the project is locked to."""

import re

from bento.packing.build import BASE_IMAGE, SYSTEM_PACKAGES
from tests.install import reading
from tests.install.reading import INSTALL, ROOT

FILE = INSTALL / "worker.Dockerfile"
TEXT = FILE.read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say():
    done = reading.run(["hadolint", "--no-color", "-c", str(INSTALL / "hadolint.yaml"), str(FILE)])
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_say_it(tmp_path):
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN cd /tmp && pip install uv\n")
    done = reading.run(["hadolint", "--no-color", "-c", str(INSTALL / "hadolint.yaml"), str(bad)])
    assert done.returncode == 1 and "DL3006" in done.stdout and "DL3013" in done.stdout


def test_it_starts_from_the_image_that_the_bento_starts_from_and_ends_as_the_bentos_user():
    assert re.findall(r"^FROM (\S+)$", TEXT, flags=re.MULTILINE) == [BASE_IMAGE]
    assert BASE_IMAGE.startswith("python:3.11.")
    (user,) = re.findall(r"^USER (\d+):(\d+)$", TEXT, flags=re.MULTILINE)
    assert user == (str(reading.pod()["securityContext"]["runAsUser"]),) * 2
    assert set(SYSTEM_PACKAGES) <= set(TEXT.split())


def test_it_installs_the_lock_by_hashes_and_takes_nothing_else_along():
    assert re.findall(r"^COPY (\S+) ", TEXT, flags=re.MULTILINE) == ["requirements.lock"]
    assert "--require-hashes --no-deps -r" in TEXT and (ROOT / "requirements.lock").is_file()
    ignored = (INSTALL / "worker.Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert ignored == ["*", "!requirements.lock"]
    assert f"PYTHONPATH={reading.compose()['services']['worker']['volumes'][0]['target']}" in TEXT
