"""The image of a Bento, and its worker started as install/kubernetes starts it: read-only but for what is mounted."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bento.packing.build import BASE_IMAGE, IMAGE_ENVIRONMENT, SYSTEM_PACKAGES
from bento.process.serve import bento_folder
from flows.keys import add_key
from tests.bento.running import TAG, Shop, free_port, is_ready
from tests.install import reading

pytestmark = pytest.mark.slow

BENTOMLS_OWN = {
    "DL3042": "pip installs uv with a cache",
    "DL3013": "and without a pin",
    "DL3046": "useradd without -l; the uid is a small one",
    "SC3020": "&> in sh: both branches of that `if` make the user, and Debian has groupadd",
}
"""What hadolint says of lines that BentoML writes into every Dockerfile -> what it comes to."""

WATCH = """
import json, os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def heard(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & WRITES:
        told(arguments[0])
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate"):
        told(arguments[0])
def told(path):
    os.write(LOG, (json.dumps(os.path.abspath(os.fsdecode(path))) + "\\n").encode())
LOG = os.open(os.environ["WATCHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
sys.addaudithook(heard)
"""
"""sitecustomize of every Python below: each path that is opened for writing, made, moved or removed."""


@pytest.fixture(scope="module")
def dockerfile(shop: Shop) -> Path:
    return bento_folder(TAG, shop.home) / "env" / "docker" / "Dockerfile"


def test_the_image_starts_from_a_pinned_one_and_has_our_environment_and_packages(dockerfile: Path):
    text = dockerfile.read_text()
    assert re.findall(r"^FROM (\S+)", text, flags=re.M) == [BASE_IMAGE]
    for name, value in IMAGE_ENVIRONMENT.items():
        assert f"ARG {name}={value}\nENV {name}=${name}\n" in text
    for package in SYSTEM_PACKAGES:
        assert re.search(rf"^RUN apt-get install .* {package}$", text, flags=re.M)


def test_hadolint_finds_nothing_in_it_but_what_bentoml_always_writes(dockerfile: Path):
    command = ["hadolint", "--no-color", "-c", str(reading.INSTALL / "hadolint.yaml"), "--format", "json"]
    done = reading.run([*command, str(dockerfile)])
    found = [finding for finding in json.loads(done.stdout) if finding["level"] in ("error", "warning")]
    assert {finding["code"] for finding in found} == set(BENTOMLS_OWN)


def test_the_manifest_starts_it_on_its_port_as_its_user_in_its_folder(dockerfile: Path):
    text = dockerfile.read_text()
    assert f"EXPOSE {reading.container()['ports'][0]['containerPort']}\n" in text
    (uid,) = re.findall(r"ARG BENTO_USER_UID=(\d+)", text)
    security = reading.pod()["securityContext"]
    assert {security["runAsUser"], security["runAsGroup"], security["fsGroup"]} == {int(uid)}
    args = reading.container()["args"]
    assert args[:2] == ["bash", "-c"] and 'cd "$BENTO_PATH/src" && ' in args[2] and "ENV BENTO_PATH=" in text
    assert "command" not in reading.container()  # the image's entry point sets the environment up, then runs args


def test_the_worker_writes_into_what_is_mounted_and_nowhere_else(shop: Shop, tmp_path: Path):
    """With the environment of the manifest; the embedded store stands in for the Milvus server of the cluster."""
    folders = {mount["name"]: tmp_path / mount["name"] for mount in reading.container()["volumeMounts"]}
    for folder in folders.values():
        folder.mkdir()
    add_key(folders["keys"] / "keys.json", "web", ("search",))
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(WATCH)
    mounts = {mount["mountPath"]: str(folders[mount["name"]]) for mount in reading.container()["volumeMounts"]}
    configuration = {name: moved(value, mounts) for name, value in reading.manifests()["ConfigMap"]["data"].items()}
    port = free_port()
    source = bento_folder(TAG, shop.home) / "src"
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path / "nobody"),
        "TMPDIR": str(folders["tmp"]),
        "PYTHONPATH": str(tmp_path / "python"),
        "WATCHED": str(tmp_path / "watched"),
        "OMP_NUM_THREADS": "1",
        **IMAGE_ENVIRONMENT,
        **configuration,
        "ETALAGE_MILVUS_URI": shop.store.uri,
        "ETALAGE_MILVUS_TOKEN": "",
        "ETALAGE_SERVICE_KEEP_ALIVE": "1",
    }
    (started,) = re.findall(r"exec (python -m [\w.]+) 0\.0\.0\.0:\d+$", reading.container()["args"][2])
    log = tmp_path / "log"
    with log.open("wb") as out, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        process = subprocess.Popen(
            [*started.split(), f"127.0.0.1:{port}"], cwd=source, env=environment, stdout=out, stderr=out
        )
        try:
            for _ in range(1200):
                if is_ready(client):
                    break
                assert process.poll() is None, log.read_text(errors="replace")
                signal.sigtimedwait([], 0.1)
            assert client.get(reading.container()["readinessProbe"]["httpGet"]["path"]).status_code == 200
            assert client.post("/search", json={"text": "red dress"}).status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
    assert code == 0, log.read_text(errors="replace")
    written = {Path(json.loads(line)) for line in (tmp_path / "watched").read_text().splitlines()}
    allowed = (folders["tmp"], folders["home"], Path(shop.store.uri).absolute(), Path("/dev"), Path("/proc"))
    assert {path for path in written if not any(path.is_relative_to(folder) for folder in allowed)} == set()
    assert any(path.is_relative_to(folders["home"]) for path in written)


def moved(value: str, mounts: dict[str, str]) -> str:
    """A path of the manifest, where its volume is here."""
    for mount, folder in mounts.items():
        if value == mount or value.startswith(mount + "/"):
            return folder + value.removeprefix(mount)
    return value
