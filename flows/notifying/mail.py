"""E-mail as a Prefect block: Prefect ships none for SMTP, but the sender beneath its blocks (apprise) speaks it.

Mail(url="mailtos://user:password@smtp.shop.example?from=etalage@shop.example&to=team@shop.example").save("team")
"""

from typing import Any

from pydantic import SecretStr

from flows import orchestration  # noqa: F401 - makes the folders that Prefect wants before it is imported

from prefect.blocks.notifications import AppriseNotificationBlock  # isort: skip

SCHEMES = ("mailto://", "mailtos://")
PLAIN = "format=text"


class Mail(AppriseNotificationBlock):
    """`url` as apprise writes it: mailto://, or mailtos:// with TLS. The text goes out as it is, not as HTML."""

    _block_type_name = "Etalage Mail"
    _block_type_slug = "etalage-mail"

    def _start_apprise_client(self, url: SecretStr) -> None:
        """Raises ValueError for what is no address to send mail by."""
        written = url.get_secret_value()
        if not written.startswith(SCHEMES):
            raise ValueError(f"the url of a mail block starts with {' or '.join(SCHEMES)}")
        if "format=" not in written:
            written += ("&" if "?" in written else "?") + PLAIN
        super()._start_apprise_client(SecretStr(written))
        client: Any = self._apprise_client
        if not len(client):
            raise ValueError("the url of the mail block names no server or no receiver")
