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


class UnknownProduct(EtalageError):
    """No product has that id: HTTP 404."""


class EncoderMismatch(EtalageError):
    """A collection was built by another encoder than the one that asks (promise 2)."""


class NotReady(EtalageError):
    """The service or store cannot answer yet: HTTP 503."""


class GateRefused(EtalageError):
    """The gates said no; the message names the number, the slice and the distance."""


class ReleaseNotFound(EtalageError):
    """No release has that id."""
