"""Where on the two servers what is asked."""

SEARCH = "/search"
SERVICE_READY = "/readyz"
PEER_PHOTOS = "/search/photo"
"""Of the search by hand: a form with a photo. Words alone go to /search, as with the service."""
PEER_READY = "/healthz"
