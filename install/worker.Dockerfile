# What a workspace's code needs to run: the packages of requirements.lock, git, and nothing of the workspace itself, which
# is mounted at /workspace. Prefect's worker, `etalage serve` and commands by hand run in it (install/compose/compose.yaml).
#   docker build -f install/worker.Dockerfile -t etalage-workspace:0.1.0 .
FROM python:3.11.15-slim-bookworm

# git: what a release is made of; libgomp1: LightGBM
RUN apt-get update \
    && apt-get install -y --no-install-recommends git libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /workspace

COPY requirements.lock /opt/etalage/requirements.lock
RUN pip install --no-cache-dir --require-hashes --no-deps -r /opt/etalage/requirements.lock

ENV PYTHONPATH=/workspace \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_WAIT_POLICY=PASSIVE \
    HOME=/tmp

WORKDIR /workspace
USER 1034:1034
CMD ["python", "-m", "flows.cli", "status"]
