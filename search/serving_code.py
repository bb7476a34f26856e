"""Which of the project's own files answer queries: what a Bento packs, and whose change makes another release.

The closure of the imports of one entry module, read from the source: nothing is imported to find it.
"""

import ast
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

SERVICE = "bento.service"
WORKER = "bento.process.worker"
"""The process around the service: it goes into a Bento, and does not change what the release answers."""
PACKAGES = ("catalog", "validation", "models", "search", "evaluation", "flows", "bento")

_PARSING = threading.Lock()
"""Before 3.11.8 Python counts the depth of all threads' trees in one number: two parsing at once fail (gh-106905)."""


def serving_code(entry: str = SERVICE, root: Path = Path()) -> tuple[Path, ...]:
    """The project's own modules that `entry` imports, directly or not, at any depth of the code, sorted.

    `root` is the project's folder; the paths start with it.
    """
    found: set[Path] = set()
    waiting = [entry]
    while waiting:
        path = _module_file(waiting.pop(), root)
        if path is None or path in found:
            continue
        found.add(path)
        own = path.relative_to(root).with_suffix("").parts
        waiting.extend(".".join(own[:length]) for length in range(1, len(own)))
        waiting.extend(imported_names(path))
    return tuple(sorted(found))


def foreign_packages(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """Top-level names that `paths` import and that are neither ours nor Python's own, sorted."""
    tops = {name.split(".")[0] for path in paths for name in imported_names(path)}
    return tuple(sorted(tops - set(PACKAGES) - set(sys.stdlib_module_names)))


def imported_names(path: Path) -> Iterator[str]:
    """Dotted names that a file imports anywhere in it: modules, and what may be a module inside one."""
    source = path.read_text(encoding="utf-8")
    with _PARSING:
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_file(module: str, root: Path) -> Path | None:
    """The file of one of our own modules; of a name inside a module, that module's file."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return None
    while parts:
        folder = root.joinpath(*parts)
        for path in (folder.with_suffix(".py"), folder / "__init__.py"):
            if path.is_file():
                return path
        parts.pop()
    return None
