"""The HTTP service beside what a shop would write by hand, and beside the least that a query could cost.

    python -m benchmarks.serving [short]

From the root of a workspace with a finished `etalage retrain`. See __main__.py.
"""
