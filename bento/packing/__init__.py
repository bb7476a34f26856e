"""The Bento of a release: its files, its pinned packages, its bill of materials."""
