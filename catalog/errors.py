"""The one exception tree. Every message is one plain sentence that a stranger can act on."""


class EtalageError(Exception):
    """Anything Etalage refuses to do, with the reason as one sentence."""


class InvalidParams(EtalageError):
    """params.yaml or a mapping file says something Etalage does not know."""


class InvalidSource(EtalageError):
    """A catalogue source cannot be read at all (a bad row is quarantined instead)."""


class InvalidSnapshot(EtalageError):
    """The snapshot in data/ is missing, half-written or fails validation."""


class InvalidQuery(EtalageError):
    """A search request that cannot be answered: HTTP 400."""


class InvalidMedia(InvalidQuery):
    """Bytes that are not a picture Etalage reads: HTTP 415."""


class MediaTooLarge(InvalidQuery):
    """A picture over the byte or pixel limit: HTTP 413."""


class UrlRefused(EtalageError):
    """A picture's URL that the settings do not allow: HTTP 403. `why` is for a log, and for no caller."""

    def __init__(self, sentence: str, why: str = "") -> None:
        super().__init__(sentence)
        self.why = why


class UnknownHost(UrlRefused):
    """The host of a URL has no address, at least now. Its sentence is that of a private address."""


class UrlFailed(EtalageError):
    """A picture's URL that is allowed and gave no picture: HTTP 400, as it is the caller who chose it.

    `status` is what its server answered, if it did; `again` says that another attempt may do, after `wait` seconds
    where the server named them. `why` is for a log, and for no caller.
    """

    def __init__(
        self, sentence: str, *, status: int | None = None, again: bool = False, wait: float | None = None, why: str = ""
    ) -> None:
        super().__init__(sentence)
        self.status, self.again, self.wait, self.why = status, again, wait, why


class UnknownProduct(EtalageError):
    """No product has that id: HTTP 404."""


class EncoderMismatch(EtalageError):
    """A collection was built by another encoder than the one that asks (promise 2)."""


class NotReady(EtalageError):
    """The service or store cannot answer yet: HTTP 503."""


class StoreAway(NotReady):
    """A store over the network that does not answer: whatever was opened in it must be opened again. HTTP 503."""

    def __init__(self, sentence: str, how: str) -> None:
        """`how` continues "The product store ..." and names no address: strangers may read it."""
        super().__init__(sentence)
        self.how = how


class TamperedRelease(EtalageError):
    """A file of a release is not the one that its manifest names by digest: nothing of it is read."""


class GateRefused(EtalageError):
    """The gates said no; the message names the number, the slice and the distance."""


class ReleaseNotFound(EtalageError):
    """No release has that id."""
