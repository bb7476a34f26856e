"""Where everything lies in a workspace, in one place. Paths are relative to the workspace root (the working directory).

data/        the snapshot, owned by data.dvc
artifacts/   outputs of DVC stages
reports/     small reports of DVC stages and flows
"""

from pathlib import Path

DATA = Path("data")
PRODUCTS = DATA / "products.parquet"
MEDIA = DATA / "media"
LOOKS = DATA / "looks.parquet"
TERMS = DATA / "terms.parquet"
JUDGEMENTS = DATA / "judgements.parquet"
INTERACTIONS = DATA / "interactions.parquet"
QUARANTINE = DATA / "quarantine.parquet"
MISSING_PICTURES = DATA / "missing_pictures.parquet"  # only where there are any
CORRECTIONS = DATA / "corrections.parquet"  # only where there are any
SNAPSHOT = DATA / "snapshot.json"

ARTIFACTS = Path("artifacts")
DATA_DOCS = ARTIFACTS / "data_docs"
CHECKPOINT = ARTIFACTS / "checkpoint"
MODEL = ARTIFACTS / "model"
ENCODER = ARTIFACTS / "encoder"
EMBEDDINGS = ARTIFACTS / "embeddings"
LATE = ARTIFACTS / "late"
COMPOSER = ARTIFACTS / "composer"
TUNED = ARTIFACTS / "tuned"
RANKING = ARTIFACTS / "ranking"
EVALUATION = ARTIFACTS / "evaluation"
MISFILED = ARTIFACTS / "misfiled"

REPORTS = Path("reports")
PICTURES_REPORT = REPORTS / "pictures.json"
PICTURES_PAGE = REPORTS / "pictures.html"
VALIDATE_REPORT = REPORTS / "validate.json"
TRAIN_REPORT = REPORTS / "train.json"
CURVES = REPORTS / "curves.csv"
EXPORT_REPORT = REPORTS / "export.json"
COMPOSE_REPORT = REPORTS / "compose.json"
LATE_REPORT = REPORTS / "late.json"
TUNE_REPORT = REPORTS / "tune.json"
RANK_REPORT = REPORTS / "rank.json"
PARITY_REPORT = REPORTS / "parity.json"
EVALUATE_REPORT = REPORTS / "evaluate.json"
EVALUATE_PAGE = REPORTS / "report.html"
MISFILED_REPORT = REPORTS / "misfiled.json"
MISFILED_PAGE = REPORTS / "misfiled.html"
TRIAL_REPORT = REPORTS / "trial.json"
SWEEP_REPORT = REPORTS / "sweep.json"
SWEEP_PAGE = REPORTS / "sweep.html"
GATE_REPORT = REPORTS / "gate.json"
TIMES_REPORT = REPORTS / "times.json"
RUN_PAGE = REPORTS / "retrain.html"

PARAMS = Path("params.yaml")
