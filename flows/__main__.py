"""`python -m flows`: the command line without installing it."""

from flows.cli import main

main()
