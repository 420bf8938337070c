"""The door to python-flint: its exact numbers, without the sixty extension modules that its package imports along with them.

Those take longer to load than a small spec takes to prove.  So the modules of the numbers are imported while an unexecuted package
stands for ``flint``; then it goes, and a later ``import flint`` gets the whole library, with the same numbers.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

__all__ = ["fmpq", "fmpz", "fraction", "rational"]


def _numbers() -> tuple[Any, Any]:
    spec = None if "flint" in sys.modules else find_spec("flint")
    if spec is not None:
        sys.modules["flint"] = module_from_spec(spec)
        try:
            from flint.types.fmpq import fmpq
            from flint.types.fmpz import fmpz
        except ImportError:  # laid out otherwise, or its libraries are found only through the package
            pass
        else:
            return fmpq, fmpz
        finally:
            del sys.modules["flint"]
    import flint

    return flint.fmpq, flint.fmpz


if TYPE_CHECKING:
    from flint import fmpq, fmpz
else:
    fmpq, fmpz = _numbers()


def rational(x: Fraction | int) -> fmpq:
    return fmpq(x.numerator, x.denominator)


def fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))
