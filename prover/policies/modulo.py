"""SMT modulo policies: implicants of the negated claim, each closed by the theory or turned into a counterexample.

For restricted types the theory is first asked about all policies (a relaxation); where its candidate is not in the type,
the search branches on what the policy plays in one state of the world, with exact supports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, islice, product

from dsl.record import dataclass
from dsl.spec import PolicyType
from prover.flint import fmpq, fraction
from prover.policies.arena import Point, controller_of
from prover.policies.belongs import belongs
from prover.policies.controller import Controller, mix
from prover.policies.multipliers import Column, RowName
from prover.policies.query import Literals, Query, ValueOf, evaluate, implicants, references
from prover.policies.stationary import stationary
from prover.policies.theory import Candidate, Closed, Flags, Stuck, Supports, Theory, Threshold, Tree
from prover.policies.tidy import tidy
from prover.solve import lp
from prover.solve.evaluate import evaluate as value_of
from prover.solve.evaluate import trivial_plan
from prover.solve.live import Support
from prover.worlds.mdp import Mdp
from prover.worlds.product import build

MAX_FLAGS = 6
MAX_IMPLICANTS = 32  # more than these and z3 chooses them
MAX_SPLITS = 4096
MAX_CASE_STATES = 6
LEANS = (Fraction(3, 4), Fraction(19, 20), Fraction(999, 1000))
MAX_TILTS = 48
NEAR = fmpq(1, 16)


@dataclass(frozen=True)
class Counterexample:
    """One controller for each player, in its type; ``edge`` is how near to the claim's truth the unknown of a find can come.

    ``parts``: the points that each controller mixes, with their weights here and at the edge; None where one policy stands for the mixture.
    """

    literals: Literals
    controllers: Mapping[str, Controller]
    unknown: fmpq | None
    edge: fmpq | None
    parts: Mapping[str, Sequence[tuple[fmpq, fmpq, Point]] | None]


def mixes(type: PolicyType) -> bool:
    """Is the type closed under drawing one of several policies at the start?"""
    return not (type.deterministic or type.memoryless or type.memory is not None or type.observes is not None)


def visited_once(mdp: Mdp, state: int) -> bool:
    """No run comes back to the state: it is not reachable from its own successors."""
    seen: set[int] = set()
    queue = [state]
    for s in queue:
        for c in range(mdp.choice_start[s], mdp.choice_start[s + 1]):
            for t in range(mdp.transition_start[c], mdp.transition_start[c + 1]):
                successor = int(mdp.successor[t])
                if successor == state:
                    return False
                if successor not in seen:
                    seen.add(successor)
                    queue.append(successor)
    return True


class Timeout(Exception):
    """For a caller's clock to raise: the search calls the clock often.  (The command line kills a child process instead.)"""


class Search:
    """Decides one query; ``types`` gives each player's type (named players: None, they are fixed)."""

    def __init__(self, query: Query, theory: Theory, types: Mapping[str, PolicyType | None], clock: Callable[[], None]) -> None:
        self.query, self.theory, self.types, self.clock = query, theory, types, clock
        self.order = references(query.skeleton)
        self.splits = 0

    # ------------------------------------------------------------ the whole claim

    def decide(self, threshold: Threshold | None = None) -> Tree | Counterexample | Stuck:
        """A tree that refutes the negated claim, a counterexample, or why neither was found."""
        stuck: Stuck | None = None
        flags = self._flags()
        if len(flags) > MAX_FLAGS:
            return Stuck(f"{len(flags)} objectives can be infinite; at most {MAX_FLAGS} are told apart")
        for values in product((True, False), repeat=len(flags)):
            branch = dict(zip(flags, values, strict=True))
            for literals in self._implicants(branch, threshold):
                self.clock()
                outcome = self.check(literals, branch, {}, threshold)
                if isinstance(outcome, Counterexample):
                    if not any(self.theory.has_infinite(i, branch) and self.theory.truth(i, branch) is None for i, _ in literals):
                        return outcome
                    outcome = Stuck("the claim compares infinite values with each other")
                if isinstance(outcome, Stuck):
                    stuck = outcome
        if stuck is not None:
            return stuck
        return self._tree(flags, {}, {}, threshold)

    def _flags(self) -> list[tuple[str, int]]:
        found = []
        for player, _ in self.query.players:
            column = self.theory.column[player]
            used = {t.stream for q in self.query.inequalities for _, t in q.terms if isinstance(t, ValueOf) and t.policy == player}
            found += [(player, s) for s in sorted(used) if column[s] in self.theory.arenas[player].flaggable]
        return found

    def _implicants(self, flags: Flags, threshold: Threshold | None) -> Iterator[Literals]:
        clauses = implicants(self.query.skeleton, False, MAX_IMPLICANTS)
        if clauses is None:
            from prover.policies.smt import Master

            yield from Master(self.query, self.theory, flags, threshold).implicants()
            return
        for clause in clauses:
            if all(self.theory.truth(i, flags) in (None, holds) for i, holds in clause):
                yield clause

    # ------------------------------------------------------------ one implicant

    def check(self, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None) -> Closed | Counterexample | Stuck:
        self.clock()
        outcome = self.theory.check(literals, flags, supports, threshold)
        if not isinstance(outcome, Candidate):
            return outcome
        if any(self.theory.has_infinite(i, flags) and self.theory.truth(i, flags) is None for i, _ in literals):
            return Stuck("the claim subtracts infinity from infinity; bound the rewards with `horizon` or `discount`")
        found = self._realise(outcome, literals, flags, supports, threshold)
        if found is not None:
            return found
        loose = self.theory.loose(literals)
        if loose is not None:
            return Stuck(loose)
        if self._fix(outcome, supports):
            return self.check(literals, flags, supports, threshold)
        return self._branch(outcome, literals, flags, supports, threshold)

    def _realise(
        self, candidate: Candidate, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None
    ) -> Counterexample | None:
        """Policies of the players' types that satisfy the literals: mixtures where the type allows, else single policies."""
        options: dict[str, list[list[Point]]] = {}
        smooth: set[str] = set()
        for player, mixture in candidate.mixture.items():
            type = self.types[player]
            if type is None or mixes(type):
                options[player] = [self.theory.points(player, flags, supports)]
                continue
            singles = [point for _, point in mixture]
            singles += [p for p in self.theory.points(player, flags, supports) if p not in singles]
            inside = [[p] for p in singles if belongs(controller_of(p), type, p.product.mdp)]
            if type.memoryless and not type.deterministic and type.memory is None and type.observes is None:
                inside = [self.theory.points(player, flags, supports), *inside, *self._tilted(player, mixture)]
                smooth.add(player)
            if not inside:
                return None
            options[player] = inside
        named = self.theory.certain(self.theory.rows(literals, flags, threshold))
        names = list(options)
        for choice in islice(product(*(options[name] for name in names)), 512):
            fixed = dict(zip(names, choice, strict=True))
            found = self._fit(named, fixed, flags, literals, smooth)
            if found is not None:
                return found
        return None

    def _tilted(self, player: str, mixture: Sequence[tuple[fmpq, Point]]) -> list[list[Point]]:
        """Stationary policies near the mixture's, each leaning towards one action of one state: where memory was used, its
        occupation measure promises too much and another weight may do."""
        controller = stationary(mixture)
        tries = []
        for key, (actions, moves) in controller.rules.items():
            for favourite, _ in actions if len(actions) > 1 else ():
                for lean in LEANS:
                    rest = sum((p for a, p in actions if a != favourite), Fraction(0))
                    play = tuple((a, lean if a == favourite else p / rest * (1 - lean)) for a, p in actions)
                    tries.append([self.point_of(player, Controller(controller.start, {**controller.rules, key: (play, moves)}))])
                    if len(tries) >= MAX_TILTS:
                        return tries
        return tries

    def point_of(self, player: str, controller: Controller) -> Point:
        """The exact values of a controller, in the streams of the player's arena."""
        base = self.theory.arenas[player].product
        atoms = self.query.atoms.of_world.get(base.mdp.world, [])
        conditions = [base.conditions.get(a, ()) for a in range(len(atoms))]
        made = build(base.mdp, conditions, base.streams, base.depth, controller)
        plan = trivial_plan(made)
        return Point(made, plan, value_of(made, plan))

    def _fit(
        self,
        named: Sequence[tuple[RowName, lp.Row[Column]]],
        points: Mapping[str, list[Point]],
        flags: Flags,
        literals: Literals,
        smooth: set[str],
    ) -> Counterexample | None:
        """A mixture of these points for each player that satisfies the literals; ``smooth`` players need one stationary policy."""
        theory = self.theory
        for player, found in points.items():
            finite = theory.finite(player, flags)
            if any(point.vector[i] is None for point in found for i in finite):
                return None
        rows, nonnegative = theory.hull_rows(named, points)
        for (player, stream), is_finite in flags.items():
            if not is_finite and player in points:
                i = theory.column[player][stream]
                rows.append(
                    lp.Row({("part", player, k): fmpq(-1) for k, p in enumerate(points[player]) if p.vector[i] is None}, fmpq(0), "<")
                )
        outcome = lp.feasible(rows, nonnegative)
        if isinstance(outcome, lp.Infeasible):
            return None
        edge = None
        places = [outcome.point]
        if self.query.unknown is not None:
            sign = fmpq(1) if self.query.unknown.direction == "maximal" else fmpq(-1)
            low = lp.minimum(rows, {("unknown",): sign}, nonnegative)
            if low is not None:
                edge = sign * low[0]
                # Shown near the edge, but strictly inside: where the claim is about to break says more than a far corner.
                far = abs(outcome.point.get(("unknown",), fmpq(0)) - edge)
                share = min(NEAR, max(abs(edge), fmpq(1, 100)) * NEAR / far) if far != 0 else NEAR
                near = {v: share * outcome.point.get(v, fmpq(0)) + (1 - share) * low[1].get(v, fmpq(0)) for v in {*outcome.point, *low[1]}}
                limit = {("unknown",): sign}
                slack = sign * (2 * near.get(("unknown",), fmpq(0)) - low[1].get(("unknown",), fmpq(0)))
                places = [tidy([*rows, lp.Row(limit, -slack, "<=")], nonnegative, near), low[1]]
        else:
            places = [tidy(rows, nonnegative, outcome.point)]
        controllers: dict[str, Controller] = {}
        used: dict[str, Sequence[tuple[fmpq, fmpq, Point]] | None] = {}
        for player, found in points.items():
            weights = [[place.get(("part", player, k), fmpq(0)) for k in range(len(found))] for place in places]
            used[player] = [(row[0], row[-1], point) for *row, point in zip(*weights, found, strict=True) if any(row)]
            if player in smooth and len(found) > 1:
                used[player] = None
                for row in reversed(weights):
                    single = self.smoothed(player, [(w, point) for w, point in zip(row, found, strict=True) if w != 0])
                    if single is None:
                        return None
                    controllers[player] = single
            else:
                controllers[player] = self.drawn([(fraction(w), point) for w, point in zip(weights[0], found, strict=True) if w != 0])
        return Counterexample(literals, controllers, places[0].get(("unknown",)), edge, used)

    def drawn(self, parts: Sequence[tuple[Fraction, Point]]) -> Controller:
        """The policy that follows one of the points, drawn at the start."""
        return mix([(weight, controller_of(point)) for weight, point in parts])

    def smoothed(self, player: str, parts: Sequence[tuple[fmpq, Point]]) -> Controller | None:
        """The stationary policy of the mixture's occupation measure, if it has the mixture's values.

        Between two such mixtures every mixture has one, since occupation measures mix linearly; so an edge that can be
        realised is approached by policies of the type.
        """
        controller = stationary(parts)
        vector = self.point_of(player, controller).vector
        for i, value in enumerate(vector):
            mean: fmpq | None = fmpq(0)
            for weight, point in parts:
                other = point.vector[i]
                mean = None if mean is None or other is None else mean + weight * other
            if value != mean:
                return None
        return controller

    # ------------------------------------------------------------ restricted types

    def _fix(self, candidate: Candidate, supports: Supports) -> bool:
        """Where a randomised memoryless player acts by memory in a state that no run visits twice, its action may be drawn at
        the start: from now on that state is fixed in cases.  False if there is no such state (left)."""
        for player, mixture in candidate.mixture.items():
            type = self.types[player]
            if type is None or not type.memoryless or type.deterministic or type.observes is not None:
                continue
            known = self.theory.cases.get(player, ())
            mdp = self.theory.arenas[player].product.mdp
            decided = {*known, *supports.get(player, {})}
            for _, point in mixture:
                for state, actions in sorted(point.plays().items()):
                    if len(actions) > 1 and state not in decided and len(known) < MAX_CASE_STATES and visited_once(mdp, state):
                        self.theory.cases[player] = (*known, state)
                        return True
        return False

    def _branch(
        self, candidate: Candidate, literals: Literals, flags: Flags, supports: Supports, threshold: Threshold | None
    ) -> Closed | Counterexample | Stuck:
        found = self._split_state(candidate, supports)
        if found is None:
            return Stuck("the policy type ties choices together in a way that this method does not decide")
        player, state = found
        type = self.types[player]
        assert type is not None
        self.splits += 1
        if self.splits > MAX_SPLITS:
            return Stuck(f"more than {MAX_SPLITS} case distinctions over what the policy plays")
        mdp = self.theory.arenas[player].product.mdp
        enabled = [int(mdp.action[c]) for c in range(mdp.choice_start[state], mdp.choice_start[state + 1])]
        sizes = [1] if type.deterministic else range(1, len(enabled) + 1)
        branches = []
        stuck: Stuck | None = None
        for size in sizes:
            for actions in combinations(enabled, size):
                extended: dict[str, Support] = dict(supports)
                extended[player] = {**supports.get(player, {}), state: frozenset(actions)}
                outcome = self.check(literals, flags, extended, threshold)
                if isinstance(outcome, Counterexample):
                    return outcome
                if isinstance(outcome, Stuck):
                    stuck = outcome
                else:
                    branches.append((actions, outcome.tree))
        return stuck if stuck is not None else Closed(("choose", player, state, branches))

    def _split_state(self, candidate: Candidate, supports: Supports) -> tuple[str, int] | None:
        """A state of the world, not decided yet, where the candidate plays more than one action; only for memoryless types."""
        for player, mixture in candidate.mixture.items():
            type = self.types[player]
            if type is None or not type.memoryless or type.observes is not None:
                continue
            plays: dict[int, set[int]] = {}
            for _, point in mixture:
                for state, actions in point.plays().items():
                    plays.setdefault(state, set()).update(actions)
            for state in sorted(plays):
                if len(plays[state]) > 1 and state not in supports.get(player, {}):
                    return player, state
        return None

    # ------------------------------------------------------------ the refutation as a tree

    def _tree(
        self, flags: list[tuple[str, int]], decided: dict[tuple[str, int], bool], truth: dict[int, bool], threshold: Threshold | None
    ) -> Tree | Stuck:
        if flags:
            player, stream = flags[0]
            parts = []
            for finite in (True, False):
                part = self._tree(flags[1:], {**decided, (player, stream): finite}, truth, threshold)
                if isinstance(part, Stuck):
                    return part
                parts.append(part)
            return ("flag", player, stream, *parts)
        return self._atoms(decided, truth, threshold)

    def _atoms(self, flags: Flags, truth: dict[int, bool], threshold: Threshold | None) -> Tree | Stuck:
        self.clock()
        known = dict(truth)
        for i in self.order:
            by_flag = self.theory.truth(i, flags)
            if by_flag is not None:
                known[i] = by_flag
        if evaluate(self.query.skeleton, known) is True:
            return ("closed",)
        leaf = self.theory.refute(tuple(truth.items()), flags, {}, threshold)
        if leaf is not None:
            return leaf
        undecided = [i for i in self.order if i not in known]
        if not undecided:
            outcome = self.check(tuple(sorted(truth.items())), flags, {}, threshold)
            if isinstance(outcome, Closed):
                return outcome.tree
            return Stuck("the lemmas found do not add up to a proof")
        i = undecided[0]
        yes = self._atoms(flags, {**truth, i: True}, threshold)
        if isinstance(yes, Stuck):
            return yes
        no = self._atoms(flags, {**truth, i: False}, threshold)
        if isinstance(no, Stuck):
            return no
        return ("split", i, yes, no)
