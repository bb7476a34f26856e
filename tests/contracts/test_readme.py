"""README in two languages: short, and they say the same numbers and show commands that the other has too."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
NUMBER = re.compile(r"(?<![\w.])\.\d{3}\b")


def measured(text: str) -> list[list[str]]:
    """The numbers of each row of the table of results."""
    rows = re.findall(r"^\| .* \| (?:recall|nDCG)@10 \| .*$", text, flags=re.M)
    return [NUMBER.findall(row) for row in rows]


def test_the_measured_numbers_are_the_same_in_both_languages() -> None:
    assert len(measured(ENGLISH)) == 9
    assert measured(CHINESE) == measured(ENGLISH)


def test_the_chinese_page_shows_no_command_that_the_english_one_lacks() -> None:
    def commands(text: str) -> set[str]:
        blocks = re.findall(r"^```bash\n(.*?)^```$", text, flags=re.M | re.S)
        lines = (re.split(r"\s+#", line)[0].strip() for block in blocks for line in block.splitlines())
        return {line for line in lines if line}

    assert commands(CHINESE) and commands(CHINESE) <= commands(ENGLISH)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["README.md", "README.zh.md"])
def test_it_is_under_200_lines_and_every_page_it_names_is_there(text: str) -> None:
    assert len(text.splitlines()) < 200
    for target in re.findall(r"\]\(((?!http)[^)#]+)", text):
        assert (ROOT / target).exists(), target
