"""A workspace with git, DVC and a remote that is a folder: what a push adds to it is what a push moves."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass
class Remote:
    """`seconds`: of the last `dvc add` and `dvc push`. `shards` and `new_shards`: of the snapshot that was pushed."""

    root: Path
    remote: Path
    seconds: float = 0.0
    shards: frozenset[str] = frozenset()
    new_shards: frozenset[str] = frozenset()

    @classmethod
    def beside(cls, root: Path) -> "Remote":
        """A new workspace in `root`, its remote beside it."""
        root.mkdir(parents=True)
        made = cls(root, root.with_name("remote"))
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        for arguments in (("init", "-q"), ("remote", "add", "-q", "-d", "there", str(made.remote))):
            made._dvc(*arguments)
        return made

    def push(self) -> int:
        """Add data/ and push it. Returns the bytes that the remote has more."""
        before, started = self._held(), time.perf_counter()
        self._dvc("add", "-q", "data")
        self._dvc("push", "-q")
        self.seconds = time.perf_counter() - started
        shards = self._shards()
        self.shards, self.new_shards = shards, shards - self.shards
        return self._held() - before

    def _shards(self) -> frozenset[str]:
        """The digests of the shards that data.dvc names."""
        (out,) = yaml.safe_load((self.root / "data.dvc").read_text(encoding="utf-8"))["outs"]
        listed = self.root / ".dvc" / "cache" / "files" / "md5" / out["md5"][:2] / out["md5"][2:]
        entries = json.loads(listed.read_text(encoding="utf-8"))
        return frozenset(entry["md5"] for entry in entries if entry["relpath"].startswith("media/"))

    def _held(self) -> int:
        return sum(path.stat().st_size for path in self.remote.rglob("*") if path.is_file())

    def _dvc(self, *arguments: str) -> None:
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
        subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=self.root, check=True, env=environment)
