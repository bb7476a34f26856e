"""In which encoding and with which delimiter a text table was written, found by looking at it."""

import codecs
import csv
import re
from pathlib import Path
from typing import Literal

from catalog.errors import InvalidSource

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 400_000  # bytes that are looked at where the file is not UTF-8
_HEAD = 4096  # bytes in which UTF-16 shows
_ZEROS = 0.2  # share of zero bytes beyond which text is UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Between the two of Europe statistics of a few words cannot tell: the western one, unless something speaks against it.
_EASTERN = re.compile(r"[^\W\d_][¿³¹£¥]")  # what ż ł ą are when read as western, within a word
_SURELY = 0.03  # of coherence
# What shops' exports come in; among all that charset-normalizer knows, a short text fits too many.
CANDIDATES = ["gb18030", "big5", "shift_jis", "euc_kr", "cp1250", "cp1251", "cp1252"]


def guess_encoding(path: Path) -> str:
    """A codec that reads the file. Raises InvalidSource when the file cannot be opened.

    A file that is UTF-8 but for a few lines is UTF-8: those lines are bad rows.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
            for mark, name in _MARKS:
                if start.startswith(mark):
                    return name
            sample = start + stream.read(_HEAD)
            if sample.count(0) > len(sample) * _ZEROS:  # UTF-16 without a mark: which half of the letters is zero
                return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
            stream.seek(0)
            good, bad = 0, bytearray()
            for line in stream:
                if line.isascii():
                    continue
                try:
                    line.decode("utf-8")
                    good += 1
                except UnicodeDecodeError:
                    bad += line[: _SAMPLE - len(bad)]
            return "utf-8-sig" if not bad or good > bad.count(b"\n") * 4 else _by_statistics(bytes(bad))
    except OSError as error:
        raise InvalidSource(f"{path.name} cannot be read: {error.strerror}.") from None


def guess_delimiter(path: Path, encoding: str) -> str:
    """The delimiter under which the first rows have most columns and all as many as the header."""
    with path.open(encoding=encoding, newline="", errors="replace") as stream:
        lines = [line for _, line in zip(range(60), stream, strict=False)]
    best, most = ("\t" if path.suffix.lower() == ".tsv" else ","), (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 0
        whole = sum(len(row) == width for row in rows) / max(1, len(rows))
        if width > 1 and (round(whole, 1), width) > most:
            best, most = delimiter, (round(whole, 1), width)
    return best


def guess_quoted(path: Path, encoding: str, delimiter: str) -> bool:
    """Whether quotation marks enclose cells; not so in a tab-separated file that only fits when they do not.

    All of such a file is looked at: one mark that opens at 60 inches swallows rows until the next one.
    """
    if delimiter != "\t":
        return True
    return not (_misfits(path, encoding, True) and not _misfits(path, encoding, False))


def _misfits(path: Path, encoding: str, quoted: bool) -> bool:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    with path.open(encoding=encoding, newline="", errors="replace") as stream:
        reader = csv.reader(stream, delimiter="\t", strict=True, quoting=quoting)
        try:
            width = len(next(reader, []))
            return any(row and len(row) != width for row in reader)
        except csv.Error:
            return True


def _by_statistics(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # few files need it

    whole_lines = sample[: sample.rfind(b"\n") + 1] or sample
    found = {match.encoding: match.coherence for match in from_bytes(whole_lines, cp_isolation=CANDIDATES)}
    best = next(iter(found), "latin-1")
    if {"cp1250", "cp1252"} <= set(found) and best in ("cp1250", "cp1252"):
        eastern = _EASTERN.search(whole_lines.decode("cp1252", "replace")) is not None
        return "cp1250" if eastern or found["cp1250"] > found["cp1252"] + _SURELY else "cp1252"
    return best
