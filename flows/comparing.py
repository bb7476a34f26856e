"""Champion against challenger on the same questions, those of today's snapshot.

A task of the flow and no DVC stage: the champion is outside of the workspace.
"""

from catalog.workspace import EVALUATION
from evaluation.gates.compare import Comparison, compare
from evaluation.gates.rules import GateRules
from evaluation.queries.judgements import read_evaluation_set
from evaluation.scores import PER_QUERY_FILE, read_scores
from flows.champion_scores import asked_today
from flows.releases import ReleaseStore


def compare_with_champion(store: ReleaseStore, champion: str, snapshot: str, rules: GateRules) -> Comparison:
    """The challenger in artifacts/ against `champion`, query by query, and what became of the champion's own scores.

    Raises TamperedRelease where the champion is not what its manifest says.
    """
    today = asked_today(store, champion, snapshot, read_evaluation_set(EVALUATION), rules.champion)
    found = compare(today.scores, read_scores(EVALUATION / PER_QUERY_FILE), rules.champion)
    return found.model_copy(update={"falls": tuple(today.falls), "unheld": today.unheld})
