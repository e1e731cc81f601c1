"""`python -m pipelines` is the harmo command line."""

from pipelines.cli import main

main()
