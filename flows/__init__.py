"""Prefect flows, the release store and the command line.

Importing this package sets the environment's defaults (telemetry off, Prefect's home, patient time-outs): they must
be there before anything imports prefect, and a Prefect worker imports a flow without passing the command line.
"""

from flows.environment import prepare_environment

prepare_environment()
