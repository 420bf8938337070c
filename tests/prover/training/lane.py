"""A world with one decision, and how to get the verdicts of a spec about it.

Two safe points fewer for the safe way: J runs from 9 (always safe) to 10 (always risky), the risk from 0 to 1/2, both linearly.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prover.pipeline import prove
from prover.verdict import Unknown, Verdict

WORLD = """\
world Lane {
  var at : 0..3 = 0
  action safe when at == 0 { at' = 1 }
  action risky when at == 0 {
    1/2: at' = 2
    1/2: at' = 3
  }
  deadlock absorbs
  reward points {
    [safe]: 9
    [risky]: 10
  }
}
policies Pi over Lane
score J(pi : Pi) = E[points, total]
property Safe(pi : Pi) = P[F at == 3] <= 1/10
policy tame : Pi = { else: safe }
policy wild : Pi = { else: risky }
policy half : Pi = { else: { 1/2: safe; 1/2: risky } }
"""
CHAIN = """\
claim tame_is_safe: forall pi : Pi. J(pi) <= 91/10 => Safe(pi)
claim learns: P[pi ~ T](J(pi) <= 91/10) > 70%
theorem safe_enough: P[pi ~ T](Safe(pi)) > 70% by tame_is_safe, learns
"""


def verdicts(folder: Path, text: str) -> dict[str, Verdict]:
    path = folder / "lane.spec"
    path.write_text(WORLD + text, encoding="utf-8")
    report = prove(path)
    assert not report.diagnostics, report.diagnostics
    return {result.name: result.verdict for result in report.results}


def errors(folder: Path, text: str) -> list[str]:
    path = folder / "lane.spec"
    path.write_text(WORLD + text, encoding="utf-8")
    return [diagnostic.code for diagnostic in prove(path).diagnostics]


def policy(risk: str) -> dict[str, Any]:
    """Risky with this probability."""
    rule: dict[str, Any] = {"state": {"at": 0}, "action": {"safe": "1", "risky": "0"} if risk == "0" else {"risky": risk}}
    if risk not in ("0", "1"):
        above, below = (int(part) for part in risk.split("/"))
        rule["action"] = {"safe": f"{below - above}/{below}", "risky": risk}
    return {"format": "twostep-policy 1", "world": "Lane", "rules": [rule, {"action": "(deadlock)"}]}


def write_runs(folder: Path, risks: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for k, risk in enumerate(risks):
        (folder / f"run_{k:03}.json").write_text(json.dumps(policy(risk)), encoding="utf-8")


def reason(verdict: Verdict) -> str:
    assert isinstance(verdict, Unknown), verdict
    return verdict.reason
