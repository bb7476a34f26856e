"""`etalage admin`: releases in a browser."""

from typing import Annotated

import typer

from flows.environment import home_folder


def admin(
    port: Annotated[int, typer.Option(help="TCP port; 0 for a free one.", min=0, max=65535)] = 3010,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Show releases side by side in a browser: scores, gates, slices, worst queries, quality over time; and roll back.

    It needs an API key with the scope admin, and asks for it. Run it in the workspace whose releases are to be seen.

    [dim]etalage keys add "A. Person" --scope admin[/dim]

    [dim]etalage admin[/dim]
    """
    from flows.admin.serving import serve

    serve(home_folder(), host, port)
