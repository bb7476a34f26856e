"""The parts of a multipart/form-data body, by python-multipart, with a limit on their number."""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from bento.errors import WrongShape
from catalog.errors import InvalidQuery

MAX_PARTS = 16


@dataclass
class FormPart:
    """One part of a form; `filename` is None for a plain field, and may be empty for a file."""

    name: str = ""
    filename: bytes | None = None
    data: bytearray = field(default_factory=bytearray)

    def words(self) -> str:
        """The part as text. Raises InvalidQuery when it is not UTF-8."""
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidQuery(f"'{self.name}' is not UTF-8.") from None


def form_parts(body: bytes, boundary: bytes) -> list[FormPart]:
    """Every part of `body`, in its order. Raises InvalidQuery for a broken form, WrongShape for too many parts."""
    reading = _Reading()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reading.begin_part,
                "on_part_data": reading.add_data,
                "on_header_begin": reading.begin_header,
                "on_header_field": reading.add_header_name,
                "on_header_value": reading.add_header_value,
                "on_header_end": reading.end_header,
                "on_headers_finished": reading.end_headers,
                "on_end": reading.end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise InvalidQuery("The body is not the multipart/form-data that its Content-Type announces.") from None
    if not boundary or not reading.complete:
        raise InvalidQuery("The form breaks off before its last boundary.")
    return reading.parts


class _Reading:
    """What the parser has told so far."""

    def __init__(self) -> None:
        self.parts: list[FormPart] = []
        self.complete = False
        self.header_name = b""
        self.header_value = b""
        self.disposition = b""

    def begin_part(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise WrongShape(f"The form has more than {MAX_PARTS} parts.")
        self.parts.append(FormPart())
        self.disposition = b""

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]

    def begin_header(self) -> None:
        self.header_name = self.header_value = b""

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self.header_name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self.header_value += data[start:end]

    def end_header(self) -> None:
        if self.header_name.lower() == b"content-disposition":
            self.disposition = self.header_value

    def end_headers(self) -> None:
        kind, options = parse_options_header(self.disposition)
        if kind != b"form-data" or b"name" not in options:
            raise InvalidQuery("A part of the form has no name.")
        self.parts[-1].name = options[b"name"].decode("utf-8", "replace")
        self.parts[-1].filename = options.get(b"filename")

    def end(self) -> None:
        self.complete = True
