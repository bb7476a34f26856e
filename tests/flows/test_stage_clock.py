"""What a stage took, told by a stand-in for DVC that says what DVC says and runs real processes."""

import subprocess
import sys
import time
from pathlib import Path

from flows.stage_clock import StageClock, StageTime

DVC = """
import subprocess, sys
def stage(name, code):
    print(f"\\x1b[32mRunning stage '{name}':\\x1b[0m", flush=True)
    print("> python -m something", flush=True)
    subprocess.run([sys.executable, "-c", code], check=True)
print("Stage 'validate' didn't change, skipping", flush=True)
stage("busy", "import time\\nwhile time.process_time() < 0.6: pass")
stage("large", '''
import pathlib, time
held = bytearray(b"x") * (192 * 2**20)
while not pathlib.Path("SEEN").exists(): time.sleep(0.02)
''')
print("Stage 'embed' is cached - skipping run, checking out outputs", flush=True)
print("Use `dvc push` to send your updates to remote storage.", flush=True)
"""


def test_time_processor_and_memory_are_told_stage_by_stage(tmp_path: Path) -> None:
    dvc = subprocess.Popen([sys.executable, "-c", DVC], stdout=subprocess.PIPE, cwd=tmp_path)
    assert dvc.stdout is not None
    clock = StageClock(dvc.pid)
    said = b""
    while said.count(b"> python") < 2:
        said += (chunk := dvc.stdout.read1(7))  # type: ignore[attr-defined]  # lines come in pieces
        clock.hear(chunk)
    deadline = time.monotonic() + 120
    while clock.peak_mb < 192 and time.monotonic() < deadline:
        time.sleep(0.05)
    (tmp_path / "SEEN").touch()
    clock.hear(dvc.stdout.read())
    busy, large = clock.close()
    assert dvc.wait() == 0

    assert (busy.stage, large.stage) == ("busy", "large")
    assert busy.processor_seconds >= 0.5
    assert large.peak_mb is not None and 192 <= large.peak_mb < 1000


def test_a_process_that_is_gone_or_said_nothing_took_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    clock = StageClock(gone.pid)
    clock.hear(b"Running stage 'late':\n")
    (only,) = clock.close()
    assert only == StageTime("late", only.seconds, 0.0, None)
    quiet = StageClock(gone.pid)
    quiet.hear(b"Data and pipelines are up to date.\n")
    assert quiet.close() == ()
