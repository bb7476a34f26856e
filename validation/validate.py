"""Stage validate: is the snapshot in data/ fit to train on? Run it with

    python -m validation.validate

Writes reports/validate.json and artifacts/data_docs/, prints one sentence, and exits with 1 when a suite stops.
"""

import sys

from catalog.errors import InvalidParams
from catalog.params import load_section
from catalog.workspace import DATA_DOCS, VALIDATE_REPORT
from validation.checks import check_snapshot
from validation.data_docs import write_data_docs
from validation.params import ValidateParams
from validation.report import write_report


def main() -> int:
    """The exit code: 0 fit to train on, 1 not."""
    try:
        params = load_section("validate", ValidateParams)
    except InvalidParams as error:
        print(error, file=sys.stderr)
        return 1
    checked = check_snapshot(params=params)
    write_report(checked.report, VALIDATE_REPORT)
    index = write_data_docs(checked, DATA_DOCS)
    for sentence in checked.report.warnings:
        print(f"Warning: {sentence}", file=sys.stderr)
    print(f"{checked.report.sentence()} Data Docs: {index}")
    return 0 if checked.report.success else 1


if __name__ == "__main__":
    sys.exit(main())
