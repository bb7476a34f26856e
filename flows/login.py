"""Who runs a command, for the record."""

import getpass

import typer


def login() -> str:
    """Who is logged in. Raises typer.BadParameter where nobody is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise typer.BadParameter("nobody is logged in here: say who you are.", param_hint="--by") from None
