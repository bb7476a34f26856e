"""What a browser's form sends: a few short fields, read whole and no further than a limit."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import Request

from bento.errors import BodyTooLarge, BodyTooSlow, UnsupportedType, WrongShape

MOST_BYTES = 8 * 2**10
MOST_FIELDS = 20
SECONDS = 10.0
FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """Field -> its last value, blanks at the ends removed.

    Raises UnsupportedType, BodyTooLarge, BodyTooSlow, WrongShape.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedType(f"This takes a form: send it as {FORM}.")
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise BodyTooLarge(f"The form has more than {MOST_BYTES:,} bytes.")
    except TimeoutError:
        raise BodyTooSlow(f"The form took longer than {SECONDS:g} seconds to arrive.") from None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise WrongShape("The form cannot be read: it is not UTF-8, or has too many fields.") from None
    return {name: value.strip() for name, value in pairs}
