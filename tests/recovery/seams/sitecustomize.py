"""Kills its process group with SIGKILL at a seam: a file operation that Python announces to audit hooks.

Python imports this at its start where this folder is on PYTHONPATH. Without ETALAGE_SEAM nothing happens. It is
`<pattern>;<n>;<more>;<ms>`: at the n-th operation of one process that `pattern` matches, `more` operations after it
and then so many milliseconds, or when that process ends if fewer follow. An operation is announced before it is done,
and reads as "open PATH", "os.rename FROM TO" or "sqlite3.connect PATH".
"""

import atexit
import os
import re
import signal
import sys
import threading

WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "sqlite3.connect")
_WRITES = os.O_WRONLY | os.O_RDWR


def _watch(seam: str, hit: str) -> None:
    pattern, nth, more, delay = seam.rsplit(";", 3)
    expression, left, after, busy = re.compile(pattern), int(nth), int(more), False

    def kill() -> None:
        os.killpg(os.getpgid(0), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left, after, busy
        if busy or event not in WATCHED or (event == "open" and not _is_write(arguments)):
            return
        operation = _told(event, arguments)
        if left > 0:
            left -= bool(expression.search(operation))
            if left > 0:
                return
            atexit.register(kill)
        elif after > 0:
            after -= 1
        busy = True
        with open(hit, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(operation)
        busy = after == 0
        if after == 0:
            if int(delay):
                threading.Timer(int(delay) / 1000, kill).start()
            else:
                kill()

    sys.addaudithook(hook)


def _told(event: str, arguments: tuple[object, ...]) -> str:
    names = arguments[:2] if event == "os.rename" else arguments[:1]
    return " ".join([event, *(os.fsdecode(name) if isinstance(name, str | bytes) else str(name) for name in names)])


def _is_write(arguments: tuple[object, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str):
        return bool(set(mode) & set("wax+"))
    return isinstance(flags, int) and bool(flags & _WRITES)


if os.environ.get("ETALAGE_SEAM"):
    _watch(os.environ["ETALAGE_SEAM"], os.environ["ETALAGE_SEAM_HIT"])
