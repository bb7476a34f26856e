"""The settings of image URLs: lists with commas, and entries that would allow too much."""

import pytest
from pydantic import ValidationError

from bento.settings import ServiceSettings
from catalog.fetching.hosts import AllowedHost


def test_the_settings_read_lists_with_commas(monkeypatch: pytest.MonkeyPatch):
    assert ServiceSettings().image_hosts == ()
    monkeypatch.setenv("ETALAGE_SERVICE_IMAGE_HOSTS", "Photos.example, *.cdn.example:8443,")
    monkeypatch.setenv("ETALAGE_SERVICE_IMAGE_NETWORKS", "10.1.0.0/16,fd00::/8")
    settings = ServiceSettings()
    assert settings.image_hosts == (
        AllowedHost("photos.example", below=False, port=None),
        AllowedHost("cdn.example", below=True, port=8443),
    )
    assert [str(network) for network in settings.image_networks] == ["10.1.0.0/16", "fd00::/8"]


@pytest.mark.parametrize(
    "entry",
    ["*", "*.com", "*.*.example", "https://photos.example", "photos.example/a", "127.1", "0x7f.1", "2130706433",
     "*.127.0.0.1", "photos.example:0", "photos.example:70000", "-a.example", "a..example", "[::1", "user@host",
     "红.example"],
)  # fmt: skip
def test_an_entry_that_would_allow_too_much_or_is_no_host_is_refused_at_the_start(
    entry: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ETALAGE_SERVICE_IMAGE_HOSTS", f"photos.example,{entry}")
    with pytest.raises(ValidationError, match="image_hosts"):
        ServiceSettings()
