"""The rows of a query, asked of any database that SQLAlchemy has a driver for: sqlite:///shop.db, postgresql+psycopg://...

What is read is `--query` or `products` of the mapping file: a SELECT, or the name of a table. Nothing is committed. The
password comes from ETALAGE_SOURCE_PASSWORD, since an address stands in logs and in the list of processes.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine, MetaData, Select, Table, TextClause, create_engine, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from catalog.errors import InvalidSource
from catalog.sources.guessing import SAMPLE_ROWS, guess_mapping
from catalog.sources.mapped import TableSource, settled
from catalog.sources.opening import Opening
from catalog.sources.rows import Row, in_words, typed_row

_USUAL = ("products", "product", "catalogue", "catalog", "items", "articles")
_BATCH = 500  # rows that are fetched at once


class SqlSettings(BaseSettings):
    """ETALAGE_SOURCE_PASSWORD: the password of the database that is read."""

    model_config = SettingsConfigDict(env_prefix="ETALAGE_SOURCE_")

    password: SecretStr | None = None


class SqlRows:
    """What a SELECT answers, as rows; asked again at every reading."""

    def __init__(self, engine: Engine, statement: Select[tuple[object, ...]] | TextClause) -> None:
        self._engine, self._statement = engine, statement

    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the answer. Raises InvalidSource when the database refuses the query."""
        try:
            with self._engine.connect() as connection:
                return tuple(connection.execute(self._statement).keys())
        except SQLAlchemyError as error:
            raise _refused(error) from None

    def rows(self) -> Iterator[Row]:
        """Every row of the answer."""
        try:
            with self._engine.connect() as connection:
                answer = connection.execution_options(yield_per=_BATCH).execute(self._statement)
                for number, row in enumerate(answer.mappings(), start=1):
                    yield typed_row(number, dict(row))
        except SQLAlchemyError as error:
            raise _refused(error) from None


def open_sql(opening: Opening) -> TableSource:
    """The query at `opening`; pictures as bytes in a column, by address, or by name in the media folder."""
    url = _address(opening.where)
    try:
        engine = create_engine(url)
        asked = opening.query or opening.said("products") or _usual_table(engine)
        rows = SqlRows(engine, _statement(engine, asked))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise _refused(error) from None
    columns = rows.columns()
    guess = guess_mapping(asked, columns, islice(rows.rows(), SAMPLE_ROWS))
    return settled(f"sql:{Path(url.database or url.drivername).stem}", rows.rows, columns, guess, opening)


def is_address(where: str) -> bool:
    """Whether `where` is written as an address of a database."""
    try:
        return "://" in where and make_url(where).get_dialect() is not None
    except (ArgumentError, NoSuchModuleError, ValueError, ModuleNotFoundError):
        return False


def _address(where: str) -> URL:
    try:
        url = make_url(f"sqlite:///{where}" if "://" not in where else where)
    except (ArgumentError, ValueError):
        raise InvalidSource("The address of the database is not one such as sqlite:///shop.db.") from None
    if url.password is not None:
        raise InvalidSource(
            "The address of the database holds a password, which logs would show: leave it out and set "
            "ETALAGE_SOURCE_PASSWORD."
        )
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).is_file()):
        raise InvalidSource(f"There is no sqlite database '{url.database}'.")
    password = SqlSettings().password
    return url if password is None else url.set(password=password.get_secret_value())


def _statement(engine: Engine, asked: str) -> Select[tuple[object, ...]] | TextClause:
    """A table by its name, in the order of its key; any other text as the query it is."""
    if any(character.isspace() for character in asked.strip()):
        if asked.split()[0].casefold() not in ("select", "with"):
            raise InvalidSource("The query does not begin with SELECT: nothing else is asked of a shop's database.")
        return text(asked.strip().rstrip(";").replace(":", r"\:"))
    table = Table(asked.strip(), MetaData(), autoload_with=engine)
    return select(table).order_by(*table.primary_key.columns)


def _usual_table(engine: Engine) -> str:
    tables = [*inspect(engine).get_table_names(), *inspect(engine).get_view_names()]
    usual = [name for name in _USUAL if name in tables] or (tables if len(tables) == 1 else [])
    if not usual:
        raise InvalidSource(f"Name a table or a query with --query; tables are: {', '.join(tables) or 'none'}.")
    return usual[0]


def _refused(error: Exception) -> InvalidSource:
    return InvalidSource(f"The database cannot be read: {in_words(getattr(error, 'orig', None) or error)}.")
