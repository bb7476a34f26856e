"""`etalage keys`: make, list and revoke the API keys of the service. No Prefect, no release needed."""

from typing import Annotated

import typer

from flows.environment import home_folder

app = typer.Typer(
    name="keys",
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make, list and revoke the API keys of the service; a service that runs takes note by itself.",
)

KEY_ID = Annotated[str, typer.Argument(metavar="ID", help="A key's id, as `etalage keys list` shows it.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who will hold it, for people: an app, a team.")],
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="search, feedback or admin (all of it); may be repeated.")
    ] = None,
) -> None:
    """Make a key and print its secret, once: only a hash of it is kept.

    The secret alone goes to stdout. Without --scope the key may search.

    [dim]etalage keys add web-shop --scope search --scope feedback[/dim]
    """
    from flows.keys import add_key, keys_of
    from search.keys import scopes_of

    path = keys_of(home_folder())
    first = not path.exists()
    key, secret = add_key(path, name, scopes_of(scopes or ["search"]))
    typer.echo(secret)
    typer.echo(
        f"Key {key.id} of {key.name} may do: {', '.join(key.scopes)}. This is the only time its secret is shown; "
        f"a hash of it is in {path}.",
        err=True,
    )
    if first:
        typer.echo("It is the first key here: a service of this home that was open asks for one from now on.", err=True)


@app.command("list")
def show() -> None:
    """List all keys, oldest first, revoked ones too; no secret is known.

    [dim]etalage keys list[/dim]
    """
    from flows import console
    from flows.keys import keys_of
    from search.key_file import read_keys

    console.show_keys(read_keys(keys_of(home_folder())))


@app.command()
def revoke(id: KEY_ID) -> None:
    """End a key: from the next request on nobody comes in with it.

    To rotate, add the new key first, let its holder take it, then revoke the old one.

    [dim]etalage keys revoke 3f9a1c07[/dim]
    """
    from flows import console
    from flows.keys import keys_of, revoke_key

    key = revoke_key(keys_of(home_folder()), id)
    console.say(f"Key {key.id} of {key.name} is revoked.")
