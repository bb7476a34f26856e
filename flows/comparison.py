"""`etalage compare`: configurations trained and scored one after the other, and their table.

No Prefect flow: nothing is shared or promoted here, and what a kill leaves unfinished goes on when it is run again.
"""

from collections.abc import Sequence
from pathlib import Path

from catalog.params import params_document
from catalog.snapshot import snapshot_id
from evaluation.comparison import report
from evaluation.comparison.configurations import BASE, FILE, read_configurations
from evaluation.comparison.running import FOLDER, Training, run, trainings
from evaluation.params import CompareParams
from flows.console import say
from flows.durable import one_writer
from flows.parameters import check_params
from flows.revision import code_revision


def compare(names: Sequence[str], file: Path | None = None, only_table: bool = False) -> None:
    """Train and measure the configurations `names` of `file`, and write the table of these.

    Every configuration's params are checked before the first is trained. Raises InvalidParams, ConfigurationFailed.
    """
    configurations = read_configurations(file or FILE)
    params, snapshot = params_document(), snapshot_id()
    wanted = trainings(configurations.chosen(names), configurations.base, params, snapshot)
    for training in wanted:
        check_params(training.document, Path(f"configuration '{training.row.name}'"))
    settings = CompareParams.model_validate(params.get("compare") or {})
    with one_writer(FOLDER):
        if only_table:
            _tell([training for training in wanted if training.finished], snapshot, settings)
            return
        finished: list[Training] = []
        try:
            for training in run(wanted, say):
                finished.append(training)
        finally:
            _tell(finished, snapshot, settings)


def _tell(finished: Sequence[Training], snapshot: str, settings: CompareParams) -> None:
    from evaluation.comparison.table import table_of  # ir-measures and pandas are slow to load

    if BASE not in {training.row.name for training in finished}:
        say("The base is not measured yet, so there is nothing to compare with.")
        return
    rows = table_of(finished, BASE, settings)
    report.write(rows, {"snapshot": snapshot, "code": code_revision(), **settings.model_dump()})
    say(f"{len(rows)} configurations: {report.MARKDOWN}")
