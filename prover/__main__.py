"""``python -m prover`` is ``twostep``."""

from prover.cli import main

main()
