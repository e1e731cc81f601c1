"""`python -m pipelines` is the harmo command line."""

from pipelines.cli import main

if __name__ == "__main__":  # processes of a curation import their parent's main module
    main()
