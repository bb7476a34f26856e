"""In which encoding and with which delimiter a file was written is found by looking at it."""

from pathlib import Path

import pytest

from catalog.ingesting.checking import checked_rows
from catalog.sources import open_source
from catalog.sources.sniffing import guess_delimiter, guess_encoding

TABLES = {
    "utf-8": "id,title\n1,红色连衣裙\n2,Größe\n",
    "utf-8-sig": "id,title\n1,红色连衣裙\n",
    "utf-16": "id\ttitle\n1\t红色连衣裙\n2\tGröße\n",
    "utf-16-le": "id;title\n1;red dress\n",
    "gbk": "编号,名称\n1,红色连衣裙女士夏季\n2,蓝色衬衫男士长袖\n",
    "big5": "編號,名稱\n1,紅色連衣裙女士夏季\n2,藍色襯衫男士長袖\n",
    "cp1252": "id;title\n1;Größe für Mädchen\n2;Schöne Hüte über Äpfel\n",
    "latin-1": "id|title\n1|été à la crème brûlée\n2|Chemise à manches longues élégante\n",
    "cp1250": "id;nazwa\n1;żółta sukienka długa\n2;błękitna koszula męska z krótkim rękawem\n",
    "cp1251": "id,имя\n1,красное платье\n2,синяя рубашка мужская\n",
    "shift_jis": "番号,名前\n1,赤いワンピース\n2,青いシャツ\n",
    "euc_kr": "번호,이름\n1,빨간 원피스 여성\n2,파란 셔츠 남성\n",
    "ascii": "id,title\n1,mug\n",
}


@pytest.mark.parametrize("encoding", sorted(TABLES))
def test_a_table_in_any_usual_encoding_is_read_as_it_was_written(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TABLES[encoding].encode(encoding))
    assert path.read_text(encoding=guess_encoding(path)).removeprefix("\ufeff") == TABLES[encoding]


@pytest.mark.parametrize("encoding", sorted(TABLES))
def test_the_delimiter_is_the_one_that_the_rows_agree_on(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TABLES[encoding].encode(encoding))
    expected = next(mark for mark in ",;|\t" if mark in TABLES[encoding].splitlines()[0])
    assert guess_delimiter(path, guess_encoding(path)) == expected


def test_commas_in_the_cells_do_not_make_a_semicolon_file_one_of_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id;title;price\n1;a, b, c;12,50\n2;d, e;9,90\n")
    assert guess_delimiter(path, "utf-8") == ";"


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ('1\t"Best" mug\n2\tScreen 24"\n3\t"Open\n4\tmug\n', ['"Best" mug', 'Screen 24"', '"Open', "mug"]),
        ('1\t"A\ttab"\n2\t"two\nlines"\n3\t24""\n', ["A tab", "two lines", '24""']),
    ],
)
def test_marks_that_enclose_nothing_are_characters_in_a_file_of_tabs(
    tmp_path: Path, text: str, titles: list[str]
) -> None:
    (tmp_path / "t.tsv").write_text("id\ttitle\n" + text)
    assert [row.product.title for row in checked_rows(open_source(tmp_path / "t.tsv")) if row.product] == titles


def test_one_line_in_another_encoding_is_one_bad_row(tmp_path: Path) -> None:
    lines = [f"{number},红色连衣裙 {number}".encode() for number in range(50)]
    lines[20] = "20,蓝色衬衫".encode("gb18030")
    (tmp_path / "t.csv").write_bytes(b"id,title\n" + b"\n".join(lines) + b"\n")
    rows = list(checked_rows(open_source(tmp_path / "t.csv")))
    (bad,) = [row.quarantined for row in rows if row.quarantined]
    assert (bad.source_row, bad.reason) == (21, "unreadable_row")
    assert sum(row.product is not None for row in rows) == 49
