"""Champion against challenger on the same questions, those of today's snapshot.

A task of the flow and no DVC stage: the champion is outside of the workspace.
"""

from catalog.media import MediaStore
from catalog.params import load_section
from catalog.tables import read_products, read_terms
from catalog.workspace import EVALUATION
from evaluation.compare import Comparison, compare, falls
from evaluation.judgements import read_evaluation_set
from evaluation.rescore import rescore
from evaluation.rules import GateRules
from evaluation.scores import PER_QUERY_FILE, read_scores
from flows.assembly import EVALUATION_FOLDER, REPORTS_FOLDER
from flows.releases import ReleaseStore
from models.encoder import Encoder
from models.params import EmbedParams
from search.contents import check_contents
from search.logic import SearchLogic
from search.release import ENCODER, RANKING


def compare_with_champion(store: ReleaseStore, champion: str, snapshot: str, rules: GateRules) -> Comparison:
    """The challenger in artifacts/ against `champion`, query by query.

    The champion's own scores count where it was measured on this snapshot and these questions; else its encoder and
    search logic are measured on them now, and what became of its own scores is told. Raises TamperedRelease where they
    are not what its manifest says.
    """
    questions = read_evaluation_set(EVALUATION)
    challenger = read_scores(EVALUATION / PER_QUERY_FILE)
    folder = store.folder(champion)
    kept = folder / REPORTS_FOLDER / EVALUATION_FOLDER / PER_QUERY_FILE
    if store.get(champion).snapshot == snapshot and kept.is_file():
        scores = read_scores(kept)
        if set(scores["evaluation_set"].unique()) == {questions.fingerprint}:
            return compare(scores, challenger, rules.champion)
    check_contents(store.get(champion), folder)
    scores = rescore(
        Encoder.load(folder / ENCODER),
        SearchLogic.load(folder / RANKING),
        read_products(),
        read_terms(),
        questions,
        MediaStore(),
        snapshot,
        load_section("embed", EmbedParams),
    )
    found = compare(scores, challenger, rules.champion)
    if not kept.is_file():
        return found
    before, today = len(read_evaluation_set(kept.parent).pool), len(questions.pool)
    if today > rules.champion.growth * before:
        told = f"The champion was asked among {before} products, and today's questions are among {today}."
        return found.model_copy(update={"unheld": told})
    return found.model_copy(update={"falls": falls(read_scores(kept), scores, rules.champion)})
