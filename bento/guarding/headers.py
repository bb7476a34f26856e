"""Headers that tell a browser to trust an answer with nothing, and the page with its own script and style only."""

import base64
import hashlib

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy of everything that is not a page: nothing in it may run, load or be framed."""

ON_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page_policy(page: str) -> str:
    """Only the page's own script and style may run, by their hashes; it may talk to its own server only."""
    hashes = {}
    for tag in ("script", "style"):
        inside = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        hashes[tag] = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
