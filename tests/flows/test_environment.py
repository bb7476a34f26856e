"""Telemetry is off and places are set, unless the user said otherwise."""

from pathlib import Path

from flows.environment import TELEMETRY_OFF, home_folder, prepare_environment


def test_telemetry_of_every_library_is_off_by_default() -> None:
    environment: dict[str, str] = {}
    prepare_environment(environment)

    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DVC_NO_ANALYTICS"] == "1"
    assert environment["BENTOML_DO_NOT_TRACK"] == "true"
    assert environment["GX_ANALYTICS_ENABLED"] == "false"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert set(TELEMETRY_OFF) <= set(environment)


def test_what_the_user_set_wins() -> None:
    environment = {"PREFECT_HOME": "/shop/prefect", "PREFECT_CLIENT_MAX_RETRIES": "1", "DO_NOT_TRACK": "0"}
    prepare_environment(environment)

    assert environment["PREFECT_HOME"] == "/shop/prefect"
    assert environment["PREFECT_CLIENT_MAX_RETRIES"] == "1"
    assert environment["DO_NOT_TRACK"] == "0"


def test_state_lies_under_the_home_as_absolute_paths(tmp_path: Path) -> None:
    environment = {"ETALAGE_HOME": str(tmp_path)}
    prepare_environment(environment)

    assert environment["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert environment["BENTOML_HOME"] == str(tmp_path / "bentoml")
    assert home_folder({}) == Path.cwd() / ".etalage"


def test_importing_the_package_is_enough() -> None:
    import os

    import flows

    assert flows.__doc__
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"]
