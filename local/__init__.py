"""Local mode, what `make up` runs: no root, no Docker; everything comes from PyPI, all state is in .local."""
