"""Forged proofs: each entry takes a valid document (fresh) and spoils it; ``ALL`` holds (name, proof, mutation, part of the reason)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.prover.checker import proofs
from tests.prover.checker.make import Document, expected, linear, stationary, value, world

F = Fraction
Json = Any
ALL: list[tuple[str, str, Callable[[Json], None], str]] = []


def forged(proof: str, reason: str) -> Callable[[Callable[[Json], None]], Callable[[Json], None]]:
    def register(mutation: Callable[[Json], None]) -> Callable[[Json], None]:
        ALL.append((mutation.__name__, proof, mutation, reason))
        return mutation

    return register


def lemma(d: Json, i: int) -> Json:
    return d["evidence"]["lemmas"][i]


def bounds(d: Json) -> list[Json]:
    return [x for x in d["evidence"]["lemmas"] if x["rule"] == "bound"]


def lower(text: str) -> str:
    return str(F(text) - F(1, 10**30))


def rows(d: Json) -> Json:
    """The rows of the first Farkas leaf, depth first."""
    todo = [d["evidence"]["argument"]["tree"]]
    while todo:
        node = todo.pop(0)
        if node[0] == "farkas":
            return node[1]
        todo = [x for x in node[1:] if isinstance(x, list) and x and isinstance(x[0], str)] + todo
    raise LookupError


# ---------------------------------------------------------------- tables


@forged("horizon", "too small at a choice of a layer")
def a_layer_value_lowered(d: Json) -> None:
    layer = bounds(d)[0]["layers"][0]
    layer[0] = lower(layer[0])


@forged("total", "too small at a choice")
def a_tail_value_lowered(d: Json) -> None:
    potential = bounds(d)[0]["tails"][0]["potential"]
    potential[0] = lower(potential[0])


@forged("discount", "too small at a choice")
def a_discounted_value_lowered(d: Json) -> None:
    for x in bounds(d):
        x["tails"][0]["potential"][0] = lower(x["tails"][0]["potential"][0])


@forged("total", "where play can stay for ever")
def stay_condition_lost(d: Json) -> None:
    """The whole potential sunk by 1: every choice still satisfies its inequality, only the end of the play does not."""
    potential = bounds(d)[0]["tails"][0]["potential"]
    potential[:] = [str(F(v) - 1) for v in potential]


@forged("losing_loop", "where play can stay for ever")
def harm_then_idle(d: Json) -> None:
    tail = bounds(d)[0]["tails"][0]["potential"]
    tail[:] = [str(F(v) - F(1, 2)) for v in tail]


@forged("losing_loop", "null must stand exactly")
def null_for_a_live_node(d: Json) -> None:
    bounds(d)[0]["tails"][0]["potential"][1] = None


@forged("trap", "null must stand exactly")
def a_number_for_a_dead_node(d: Json) -> None:
    tail = bounds(d)[0]["tails"][0]["potential"]
    tail[tail.index(None)] = "0"


@forged("trap", "null must stand exactly")
def everything_dead(d: Json) -> None:
    tail = bounds(d)[0]["tails"][0]["potential"]
    tail[:] = [None] * len(tail)


@forged("discount_layers", "null must stand exactly")
def null_in_a_layer(d: Json) -> None:
    bounds(d)[0]["layers"][0][0] = None


@forged("discount", "null in a discounted tail")
def null_in_a_discounted_tail(d: Json) -> None:
    bounds(d)[0]["tails"][0]["potential"][0] = None


@forged("recurrent", "worth of an end component")
def component_condition_dropped(d: Json) -> None:
    tail = bounds(d)[0]["tails"][0]["potential"]
    tail[:] = [lower(v) for v in tail]


@forged("recurrent", "worth of an end component")
def only_the_largest_component(d: Json) -> None:
    """Without the end components that avoid x the best component seems to be worth 1 + 1 - 1; a single home must not count less."""
    lemma = bounds(d)[0]
    lemma["weights"][2][1] = "-2"
    lemma["tails"][0]["potential"] = ["0"] * 3


@forged("discount", "a potential for every node")
def a_node_without_a_value(d: Json) -> None:
    bounds(d)[0]["tails"][0]["potential"].pop()


@forged("horizon", "a table for every layer")
def a_layer_without_a_table(d: Json) -> None:
    bounds(d)[0]["layers"].pop()


@forged("discount_layers", "one tail for each discount group")
def a_tail_left_out(d: Json) -> None:
    bounds(d)[0]["tails"].pop()


@forged("discount", "one tail for each discount group")
def another_discount(d: Json) -> None:
    bounds(d)[0]["tails"][0]["discount"] = "1/3"


# ---------------------------------------------------------------- well-definedness and finiteness


@forged("total", "neither idles nor loses")
def slack_too_large(d: Json) -> None:
    lemma(d, 0)["slack"] = "2"


@forged("total", "positive slack")
def slack_zero(d: Json) -> None:
    lemma(d, 0)["slack"] = "0"


@forged("losing_loop", "neither idles nor loses")
def cost_for_score(d: Json) -> None:
    lemma(d, 0)["sign"] = "cost"


@forged("total", "without a well-defined lemma")
def not_well_defined(d: Json) -> None:
    d["evidence"]["lemmas"][0] = d["evidence"]["lemmas"][1]


@forged("losing_loop", "the potential is too small")
def a_false_finite_lemma(d: Json) -> None:
    """Waiting costs for ever: no potential shows that the score is finite."""
    d["evidence"]["lemmas"].append({"rule": "finite", "product": 0, "objective": 0, "potential": ["5", "5", "5"]})


@forged("total", "only total and until objectives can be infinite")
def a_finite_probability(d: Json) -> None:
    lemma(d, 0)["objective"] = 1


def up_and_down() -> Json:
    """+1, -1, +1, ...: the sum is not defined; h = (0, -1) keeps r + P h - h = 0, which is not a loss."""
    place = world({"s": {"up": {"t": 1}}, "t": {"down": {"s": 1}}}, {"s": 1}, {}, {"r": {("s", "up"): 1, ("t", "down"): -1}})
    d = Document([place], [expected(["total"])], ["<=", linear([(1, value(0))])])
    d.product([0])
    d.lemma({"rule": "well-defined", "product": 0, "objective": 0, "sign": "score", "slack": "1/1000", "potential": ["0", "-1"]})
    d.lemma({
        "rule": "bound", "product": 0, "weights": [[0, "1"]], "finite": [0], "allowed": None, "layers": [],
        "tails": [{"discount": None, "potential": ["0", "-1"]}],
    })  # fmt: skip
    rows = [[["atom", 0], "1"], [["lemma", 1, "pi"], "1"]]
    return d.done({"kind": "refutation", "tree": ["flag", "pi", 0, ["split", 0, ["closed"], ["farkas", rows]], ["closed"]]})


@forged("total", "neither idles nor loses")
def an_ill_posed_sum(d: Json) -> None:
    d.clear()
    d.update(up_and_down())


# ---------------------------------------------------------------- products and worlds


@forged("total", "shares do not sum to 1")
def a_dropped_transition(d: Json) -> None:
    d["worlds"][0]["choices"][1][2].pop()


@forged("total", "a node is missing")
def a_missing_node(d: Json) -> None:
    d["evidence"]["products"][0]["nodes"].pop(1)
    for x in d["evidence"]["lemmas"]:
        if x["product"] == 0:
            table = x["potential"] if "potential" in x else x["tails"][0]["potential"]
            table.pop(1)


@forged("horizon", "an initial node is missing")
def no_initial_node(d: Json) -> None:
    d["evidence"]["products"][0]["layers"][0] = []


@forged("horizon", "shallower than a horizon")
def depth_below_the_horizon(d: Json) -> None:
    product = d["evidence"]["products"][0]
    product["layers"].pop()
    product["depth"] = 2


@forged("horizon", "not the number of its layers")
def depth_and_layers_disagree(d: Json) -> None:
    d["evidence"]["products"][0]["depth"] = 4


@forged("until", "a settled node is listed")
def a_settled_node(d: Json) -> None:
    product = d["evidence"]["products"][0]
    product["memories"].append(["closed", "true"])
    product["nodes"].append([2, len(product["memories"]) - 1])


@forged("total", "normal form")
def a_wrong_memory_key(d: Json) -> None:
    for row in d["evidence"]["products"][0]["memories"]:
        row[1] = row[1] + " | " + row[1]


@forged("total", "an initial node is missing")
def a_borrowed_memory(d: Json) -> None:
    """The memory of F done in the place of F bad's."""
    for row in d["evidence"]["products"][0]["memories"]:
        row[1] = row[1].replace('["atom",0]', '["atom",1]')


@forged("until", "does not fit its objective")
def a_memory_of_another_kind(d: Json) -> None:
    d["evidence"]["products"][0]["memories"][0][0] = ""


@forged("total", "a node occurs twice")
def a_node_twice(d: Json) -> None:
    nodes = d["evidence"]["products"][0]["nodes"]
    nodes.append(nodes[0])


@forged("total", "a memory occurs twice")
def a_memory_twice(d: Json) -> None:
    memories = d["evidence"]["products"][0]["memories"]
    memories.append(memories[0])


@forged("total", "an objective of a product occurs twice")
def an_objective_twice(d: Json) -> None:
    product = d["evidence"]["products"][1]
    product["objectives"] = [0, 0]


@forged("total", "an action of a state occurs twice")
def an_action_twice(d: Json) -> None:
    d["worlds"][0]["choices"][1][1] = 0


@forged("total", "a successor occurs twice")
def a_successor_twice(d: Json) -> None:
    d["worlds"][0]["choices"][1][2][0] = d["worlds"][0]["choices"][1][2][1]


@forged("total", "a state occurs twice")
def a_state_twice(d: Json) -> None:
    d["worlds"][0]["states"][1] = ["s"]


@forged("total", "a state has no choice")
def a_deadlock(d: Json) -> None:
    d["worlds"][0]["choices"].pop()


@forged("total", "expected an index")
def choices_unsorted(d: Json) -> None:
    d["worlds"][0]["choices"].reverse()


@forged("total", "shares do not sum to 1")
def mass_almost_one(d: Json) -> None:
    d["worlds"][0]["probabilities"][1] = str(F(1, 2) - F(1, 10**18))


@forged("total", "shares greater than 0")
def negative_mass(d: Json) -> None:
    d["worlds"][0]["probabilities"] += ["3/2", "-1/2"]
    d["worlds"][0]["choices"][1][2] = [[1, 2], [2, 3]]


@forged("total", "shares greater than 0")
def a_zero_edge(d: Json) -> None:
    d["worlds"][0]["probabilities"].append("0")
    d["worlds"][0]["choices"][0][2].append([2, 2])


@forged("total", "the shares do not sum to 1")
def initial_mass(d: Json) -> None:
    d["worlds"][0]["initial"] = [[0, "1/2"]]


@forged("total", "a reward entry occurs twice")
def a_reward_twice(d: Json) -> None:
    at = d["worlds"][0]["rewards"]["r"]["at"]
    at.append(at[0])


@forged("total", "expected an index")
def an_atom_outside(d: Json) -> None:
    d["worlds"][0]["atoms"][0]["states"].append(99)


@forged("total", "expected true or false")
def one_for_true(d: Json) -> None:
    d["claim"]["types"][0]["deterministic"] = 0


@forged("total", "expected an index")
def true_for_one(d: Json) -> None:
    d["worlds"][0]["choices"][1][1] = True


@forged("total", "outside its variable's type")
def a_value_outside(d: Json) -> None:
    d["worlds"][0]["states"][0] = ["elsewhere"]


@forged("discount", "a discount outside")
def discount_one(d: Json) -> None:
    d["claim"]["objectives"][0]["mode"][1] = "1"


@forged("paths", "not co-safe")
def an_unbounded_release(d: Json) -> None:
    d["claim"]["objectives"][0]["path"][1][2][3] = None


# ---------------------------------------------------------------- borrowed proofs


@forged("total", "too small at a choice")
def a_neighbouring_world(d: Json) -> None:
    """Risky is bad two times in three."""
    d["worlds"][0]["probabilities"] += ["1/3", "2/3"]
    d["worlds"][0]["choices"][1][2] = [[1, 2], [2, 3]]


@forged("total", "is no contradiction")
def a_neighbouring_claim(d: Json) -> None:
    d["claim"]["body"][1][1][1]["constant"] = "-201/1000"


@forged("total", "is no contradiction")
def strictness_flipped(d: Json) -> None:
    """|J - max J| <= 1/5 does not imply P[F bad] < 1/10."""
    d["claim"]["body"][1][1][0] = "<="
    d["claim"]["body"][2][0] = "<"


@forged("margin", "is no contradiction")
def a_threshold_too_large(d: Json) -> None:
    d["evidence"]["argument"]["value"] = "201/1000"


@forged("deterministic", "do not cover")
def a_proof_for_another_type(d: Json) -> None:
    d["claim"]["types"][0] |= {"deterministic": False}


@forged("deterministic", "choose is for memoryless policies")
def deterministic_with_memory(d: Json) -> None:
    d["claim"]["types"][0] |= {"memoryless": False}


# ---------------------------------------------------------------- optima


@forged("total", "does not speak of it")
def an_optimum_of_another_score(d: Json) -> None:
    d["claim"]["optima"][0]["body"][0][0] = "2"


@forged("total", "does not speak of it")
def max_and_min_exchanged(d: Json) -> None:
    """A total score that may be -infinity has no minimum; a probability has one, but these lemmas are on the wrong sides."""
    d["evidence"]["optima"][0].reverse()


@forged("losing_loop", "infinite on the wrong side")
def a_minimum_that_is_infinite(d: Json) -> None:
    d["claim"]["optima"][0]["kind"] = "min"


@forged("losing_loop", "needs a policy")
def an_optimum_that_nobody_reaches(d: Json) -> None:
    d["evidence"]["optima"][0][0] = None


@forged("horizon", "not about a policy of its type")
def a_policy_outside_the_type(d: Json) -> None:
    """The optimum is over deterministic policies; the lower lemma tosses a coin."""
    d["claim"]["types"].append(proofs.PLAIN | {"name": "Det", "deterministic": True})
    d["claim"]["optima"][0]["type"] = 1
    coin = stationary({0: {0: F(1, 2), 1: F(1, 2)}, 1: {2: 1}, 2: {2: 1}})
    d["evidence"]["policies"][0] = coin
    for x in bounds(d):
        if x["product"] == 2:
            x["layers"] = [["-19/2"], ["0", "0"], ["0", "0"]]
    d["evidence"]["products"][2]["layers"] = [[[0, 0, 0]], [[1, 0, 0], [2, 0, 0]], [[1, 0, 0], [2, 0, 0]]]


@forged("deterministic", "is no contradiction")
def a_branch_lemma_as_an_optimum(d: Json) -> None:
    """A lemma under `allowed` says nothing about the optimum (here the claim that P[F bad] <= 0 <= max)."""
    d["claim"]["optima"] = []
    leaf = d["evidence"]["argument"]["tree"][3][1][1]
    leaf[2] = ["split", 1, ["closed"], ["farkas", [[["atom", 0], "1"]]]]


@forged("horizon", "speaks of fewer policies")
def an_optimum_under_allowed(d: Json) -> None:
    for x in bounds(d):
        if x["weights"] == [[0, "1"]]:
            x["allowed"] = [[0, [1]]]
            x["layers"][0][0] = "9"


@forged("optimum_by_cases", "do not cover")
def an_optimum_with_a_case_left_out(d: Json) -> None:
    d["evidence"]["optima"][0][1]["options"].pop()


@forged("optimum_by_cases", "do not cover")
def cases_of_a_randomised_policy(d: Json) -> None:
    """A memoryless policy that may toss coins visits both."""
    d["claim"]["types"][0]["deterministic"] = False


@forged("optimum_by_cases", "choose is for memoryless policies")
def cases_of_a_policy_with_memory(d: Json) -> None:
    d["claim"]["types"][0]["memoryless"] = False


@forged("optimum_by_cases", "speaks of fewer policies")
def one_case_for_the_optimum(d: Json) -> None:
    side = d["evidence"]["optima"][0]
    side[1] = side[1]["options"][0][1]


@forged("optimum_by_cases", "speaks of fewer policies")
def cases_exchanged(d: Json) -> None:
    options = d["evidence"]["optima"][0][1]["options"]
    options[0][1], options[1][1] = options[1][1], options[0][1]


@forged("optimum_by_cases", "chosen for twice")
def a_case_within_a_case(d: Json) -> None:
    side = d["evidence"]["optima"][0]
    side[1]["options"][0][1] = copy.deepcopy(side[1])


@forged("no_finite_policy", "no policy reaches")
def an_optimum_of_minus_infinity(d: Json) -> None:
    d["claim"]["optima"] = [proofs.MAX_J]
    d["evidence"]["optima"] = [[None, {"lemma": 1}]]


# ---------------------------------------------------------------- controllers


@forged("witness", "an action of a rule occurs twice")
def an_action_of_a_rule_twice(d: Json) -> None:
    d["evidence"]["policies"][0]["rules"][0][2] = [[0, "1/2"], [0, "1/2"]]


@forged("witness", "shares do not sum to 1")
def half_a_policy(d: Json) -> None:
    d["evidence"]["policies"][0]["rules"][0][2] = [[0, "1/2"]]


@forged("witness", "not enabled")
def an_action_that_is_not_enabled(d: Json) -> None:
    d["evidence"]["policies"][0]["rules"][0][2] = [[2, "1"]]


@forged("witness", "has no rule where it can be")
def a_missing_rule(d: Json) -> None:
    d["evidence"]["policies"][0]["rules"].pop()


@forged("witness", "a rule occurs twice")
def two_rules_for_one_place(d: Json) -> None:
    rules = d["evidence"]["policies"][0]["rules"]
    rules.append([*rules[0][:2], [[1, "1"]], []])


@forged("witness", "start: the shares do not sum to 1")
def start_weights(d: Json) -> None:
    d["evidence"]["policies"][0]["start"][0][0] = "1/3"


@forged("witness", "shares greater than 0")
def negative_start_weight(d: Json) -> None:
    start = d["evidence"]["policies"][0]["start"]
    start[0][0], start[1][0] = "-1/2", "3/2"


@forged("witness", "wrong states")
def starts_elsewhere(d: Json) -> None:
    d["evidence"]["policies"][0]["start"].append(["1", 1, 0])


@forged("witness", "does not belong to its type")
def a_mixed_witness_of_a_deterministic_type(d: Json) -> None:
    d["claim"]["types"][0]["deterministic"] = True


@forged("witness", "does not belong to its type")
def a_witness_with_too_much_memory(d: Json) -> None:
    d["claim"]["types"][0]["memory"] = 1


@forged("witness", "does not belong to its type")
def a_witness_that_is_not_memoryless(d: Json) -> None:
    d["claim"]["types"][0]["memoryless"] = True


@forged("witness", "a witness for every variable")
def no_witness(d: Json) -> None:
    d["evidence"]["argument"]["policies"] = []


@forged("witness", "too small")
def a_swapped_policy(d: Json) -> None:
    """The proof speaks of the coin, the file brings the safe policy."""
    d["evidence"]["policies"][0]["rules"][3][2] = [[0, "1"]]


@forged("two_policies", "another policy")
def a_lemma_of_another_policy(d: Json) -> None:
    d["evidence"]["policies"].append(proofs.always(0))
    d["evidence"]["products"].append(copy.deepcopy(d["evidence"]["products"][0]))
    product = d["evidence"]["products"][-1]
    product |= {"policy": 0, "layers": [[[0, 0, 0]]], "nodes": [[1, 0, 0]]}
    extra = copy.deepcopy(bounds(d)[0])
    extra |= {"product": 1, "layers": [["10"]], "tails": [{"discount": None, "potential": ["0"]}]}
    d["evidence"]["lemmas"].append(extra)
    rows(d)[1][0][1] = 2


@forged("named", "does not belong to its type")
def a_named_policy_outside_its_type(d: Json) -> None:
    d["claim"]["types"][0]["memory"] = 1


# ---------------------------------------------------------------- trees


@forged("total", "not closed")
def an_open_leaf(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3] = ["closed"]


@forged("total", "not positive")
def a_negative_multiplier(d: Json) -> None:
    rows(d)[0][1] = "-1"


@forged("total", "not positive")
def a_zero_multiplier(d: Json) -> None:
    rows(d).append([["optimum", 0, "upper"], "0"])


@forged("total", "is no contradiction")
def a_wrong_sum(d: Json) -> None:
    rows(d)[1][1] = "3"


@forged("total", "is no contradiction")
def a_bound_left_out(d: Json) -> None:
    rows(d).pop()


@forged("total", "is no contradiction")
def an_empty_sum(d: Json) -> None:
    rows(d).clear()


@forged("total", "an atom that the branch does not decide")
def an_undecided_atom(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3] = ["farkas", rows(d)]


@forged("total", "may be infinite")
def a_lemma_on_the_infinite_branch(d: Json) -> None:
    d["evidence"]["argument"]["tree"][4] = d["evidence"]["argument"]["tree"][3]


@forged("total", "may be infinite")
def no_flag(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = d["evidence"]["argument"]["tree"][3]


@forged("no_finite_policy", "may be infinite")
def nobody_is_finite_but_nobody_asked(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = d["evidence"]["argument"]["tree"][3]


@forged("known_finite", "finite anyway")
def a_needless_flag(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = ["flag", "pi", 0, d["evidence"]["argument"]["tree"], ["closed"]]


@forged("total", "decided twice")
def a_flag_twice(d: Json) -> None:
    tree = d["evidence"]["argument"]["tree"]
    tree[4] = ["flag", "pi", 0, ["closed"], ["closed"]]


@forged("total", "split twice")
def an_atom_twice(d: Json) -> None:
    tree = d["evidence"]["argument"]["tree"][3]
    tree[2] = ["split", 0, tree[2], tree[2]]


@forged("deterministic", "do not cover")
def a_choice_left_out(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3].pop()


@forged("deterministic", "branch does not imply")
def allowed_not_implied(d: Json) -> None:
    cases = d["evidence"]["argument"]["tree"][3]
    cases[1][1] = cases[0][1]


@forged("deterministic", "branch does not imply")
def allowed_without_choose(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = d["evidence"]["argument"]["tree"][3][0][1]


@forged("deterministic", "one or more enabled actions")
def allowed_nothing(d: Json) -> None:
    bounds(d)[0]["allowed"] = [[0, []]]


@forged("exact_support", "do not cover")
def a_support_left_out(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3].pop()


@forged("exact_support", "do not cover")
def only_the_full_support(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3] = d["evidence"]["argument"]["tree"][3][2:]


@forged("exact_support", "branch does not imply")
def a_lemma_of_a_larger_support(d: Json) -> None:
    """Who may leave, but never does, has not lost anything."""
    options = d["evidence"]["argument"]["tree"][3]
    options[0][1] = options[2][1]


@forged("exact_support", "where play can stay for ever")
def leaving_is_not_forced(d: Json) -> None:
    bounds(d)[2]["allowed"] = None


@forged("exact_support", "choose is for memoryless policies")
def supports_of_a_policy_with_memory(d: Json) -> None:
    """With memory: stay with probability 1/2, else leave: J = -5/2."""
    d["claim"]["types"][0]["memoryless"] = False


def cases_of(d: Json) -> Json:
    return d["evidence"]["lemmas"][-1]


@forged("drawn_beforehand", "a lemma about memoryless policies")
def drawn_beforehand_with_memory(d: Json) -> None:
    d["claim"]["types"][0]["memoryless"] = False


@forged("drawn_beforehand", "one is missing")
def a_case_missing(d: Json) -> None:
    cases_of(d)["parts"].pop()


@forged("drawn_beforehand", "one is missing")
def a_case_twice(d: Json) -> None:
    cases_of(d)["parts"][0] = cases_of(d)["parts"][1]


@forged("drawn_beforehand", "can visit twice")
def a_state_that_is_visited_again(d: Json) -> None:
    """done leads back to s: what is played there is drawn anew each time."""
    d["worlds"][0]["choices"][2][2] = [[0, 0]]


@forged("drawn_beforehand", "cases of nothing")
def cases_of_no_state(d: Json) -> None:
    cases_of(d)["states"] = []


@forged("drawn_beforehand", "not a bound")
def cases_of_cases(d: Json) -> None:
    cases_of(d)["parts"][0] = 2


@forged("drawn_beforehand", "cases of different bounds")
def cases_of_two_directions(d: Json) -> None:
    lemma = bounds(d)[0]
    lemma["weights"] = [[0, "1/2"]]


@forged("drawn_beforehand", "occurs twice")
def a_state_of_cases_twice(d: Json) -> None:
    cases_of(d)["states"] *= 2


@forged("total", "no others than such")
def finite_left_out(d: Json) -> None:
    bounds(d)[0]["finite"] = []


@forged("total", "not a refutation tree")
def an_unknown_step(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = ["trust me"]


@forged("total", "not a refutation tree")
def a_truncated_tree(d: Json) -> None:
    d["evidence"]["argument"]["tree"].pop()


@forged("total", "not a row that may stand here")
def an_unknown_row(d: Json) -> None:
    rows(d)[0][0] = ["threshold"]


@forged("total", "a row of a lemma that is not a bound")
def a_row_of_another_rule(d: Json) -> None:
    rows(d)[2][0][1] = 0


@forged("total", "needs a refutation")
def an_argument_of_another_kind(d: Json) -> None:
    d["evidence"]["argument"]["kind"] = "threshold"


# ---------------------------------------------------------------- find


@forged("margin", "a break at the wrong value")
def a_break_inside_the_threshold(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["inside"]["unknown"] = "1/5"


@forged("margin", "a break at the wrong value")
def an_edge_elsewhere(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["edge"]["unknown"] = "1/4"


@forged("margin", "a break outside the interval")
def a_break_outside_the_interval(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["inside"]["unknown"] = "51"


@forged("margin", "a literal does not hold")
def a_break_that_is_none(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["inside"]["weights"] = [["pi", ["4/5", "1/5"]]]


@forged("margin", "weights of a mixture")
def negative_weights(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["inside"]["weights"] = [["pi", ["-1", "2"]]]


@forged("margin", "do not break the claim")
def literals_that_break_nothing(d: Json) -> None:
    d["evidence"]["argument"]["breaks"]["literals"].pop()


@forged("margin", "not closed under mixing")
def mixing_deterministic_policies(d: Json) -> None:
    d["claim"]["types"][0] |= {"deterministic": True}


@forged("margin", "does not bound it")
def a_value_of_another_policy(d: Json) -> None:
    values = d["evidence"]["argument"]["breaks"]["values"]
    values[0][2:], values[2][2:] = values[2][2:], values[0][2:]


@forged("margin", "a break at the wrong value")
def not_attained(d: Json) -> None:
    d["evidence"]["argument"]["attained"] = False


@forged("margin_of_a_closed_claim", "is no contradiction")
def attained_after_all(d: Json) -> None:
    d["evidence"]["argument"]["attained"] = True


@forged("margin", "infinity: of an interval without an end")
def infinity_with_an_end(d: Json) -> None:
    d["evidence"]["argument"] |= {"value": "infinity", "attained": False, "breaks": None}


@forged("margin", "outside the interval")
def a_threshold_outside(d: Json) -> None:
    d["evidence"]["argument"]["value"] = "51"


@forged("margin", "outside the interval")
def attained_outside(d: Json) -> None:
    d["claim"]["unknown"] |= {"high": "1/5", "high_closed": False}


@forged("margin", "is no contradiction")
def the_other_direction(d: Json) -> None:
    d["claim"]["unknown"]["direction"] = "minimal"


# ---------------------------------------------------------------- measure


@forged("samples", "does not support its bound")
def a_sample_bound_too_high(d: Json) -> None:
    d["evidence"]["argument"]["proofs"][0]["bound"] = "98/100"


@forged("samples", "does not support its bound")
def a_smaller_delta(d: Json) -> None:
    d["claim"]["facts"][0]["delta"] = "1/100000000"


@forged("samples", "expected an index")
def more_successes_than_runs(d: Json) -> None:
    d["claim"]["facts"][0]["successes"] = 201


@forged("samples", "a delta outside")
def delta_zero(d: Json) -> None:
    d["claim"]["facts"][0]["delta"] = "0"


@forged("samples", "no confidence is left")
def deltas_that_eat_everything(d: Json) -> None:
    d["claim"]["facts"] = [d["claim"]["facts"][0] | {"delta": "1/2"}] * 2
    d["evidence"]["argument"]["proofs"] *= 2


@forged("samples", "not permitted")
def an_assumption_that_is_not_permitted(d: Json) -> None:
    d["claim"]["facts"][0]["name"] = "evaluation2"


@forged("assumed", "not permitted")
def an_axiom_of_ones_own(d: Json) -> None:
    d["claim"]["facts"].append({"kind": "assumed", "name": "false", "formula": ["false"]})
    d["evidence"]["argument"] |= {"proofs": [None, None], "tree": ["closed"]}


@forged("samples", "a proof for every fact")
def a_fact_of_the_evidence_alone(d: Json) -> None:
    d["claim"]["facts"] = []


@forged("runs", "a run is counted twice")
def a_run_twice(d: Json) -> None:
    truth = d["evidence"]["argument"]["proofs"][0]["truth"]
    truth[1] = truth[0]


@forged("runs", "does not support its bound")
def a_run_less(d: Json) -> None:
    d["evidence"]["argument"]["proofs"][0]["truth"].pop()


@forged("runs", "another policy")
def a_run_that_fails(d: Json) -> None:
    truth = d["evidence"]["argument"]["proofs"][0]["truth"]
    truth[0] = [9, truth[0][1]]


@forged("mixture", "the shares do not sum to 1")
def a_mixture_of_less_than_all(d: Json) -> None:
    d["claim"]["facts"][0]["parts"].pop()


@forged("mixture", "does not bound it")
def a_mean_with_exchanged_parts(d: Json) -> None:
    d["evidence"]["argument"]["proofs"][0]["values"][0][1].reverse()


@forged("mixture", "the truth of an event is given twice")
def a_truth_twice(d: Json) -> None:
    truth = d["evidence"]["argument"]["proofs"][0]["truth"]
    truth.append(truth[0])


@forged("mixture", "not closed")
def the_wrong_truth(d: Json) -> None:
    d["evidence"]["argument"]["proofs"][0]["truth"][0][2] = False


@forged("samples", "is no contradiction")
def another_combination_is_impossible(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3][1][3][0][1] = 1


@forged("samples", "not closed")
def a_possible_combination(d: Json) -> None:
    d["evidence"]["argument"]["impossible"][0][0] = [[0, True]]


@forged("samples", "not positive")
def a_negative_cell(d: Json) -> None:
    d["evidence"]["argument"]["tree"][3][1][3][1] = "-1"


@forged("samples", "a flag in a tree about a measure")
def a_flag_in_a_measure(d: Json) -> None:
    d["evidence"]["argument"]["tree"] = ["flag", "pi", 0, ["closed"], ["closed"]]


@forged("samples", "expected an object")
def facts_of_another_kind(d: Json) -> None:
    d["claim"]["kind"] = "forall"


# ---------------------------------------------------------------- numbers and shapes


@forged("total", "exact number")
def an_exponent(d: Json) -> None:
    lemma(d, 0)["slack"] = "1e-3"


@forged("total", "exact number")
def a_float(d: Json) -> None:
    lemma(d, 0)["slack"] = 0.5


@forged("total", "exact number")
def other_digits(d: Json) -> None:
    lemma(d, 0)["slack"] = "１/２"


@forged("total", "exact number")
def an_underscore(d: Json) -> None:
    lemma(d, 0)["slack"] = "1_0/3"


@forged("total", "exact number")
def a_newline(d: Json) -> None:
    lemma(d, 0)["slack"] = "1\n"


@forged("total", "exact number")
def a_negative_denominator(d: Json) -> None:
    lemma(d, 0)["slack"] = "1/-2"


@forged("total", "denominator is 0")
def a_zero_denominator(d: Json) -> None:
    lemma(d, 0)["slack"] = "1/0"


@forged("total", "exact number")
def too_many_digits(d: Json) -> None:
    lemma(d, 0)["slack"] = "1/" + "9" * 100_001


@forged("total", "exact number")
def true_for_a_number(d: Json) -> None:
    lemma(d, 0)["slack"] = True


@forged("total", "keys")
def an_extra_key(d: Json) -> None:
    lemma(d, 0)["comment"] = "sound"


@forged("total", "keys")
def a_lost_key(d: Json) -> None:
    del d["evidence"]["lemmas"][1]["allowed"]


@forged("total", "another format")
def another_format(d: Json) -> None:
    d["format"] = "twostep-proof 3"


@forged("total", "a policy name occurs twice")
def two_meanings_of_a_name(d: Json) -> None:
    d["claim"]["variables"].append(["pi", 0])


@forged("total", "a policy of another world")
def a_value_of_nobody(d: Json) -> None:
    d["claim"]["body"][2][1]["terms"][0][1][2] = "rho"


@forged("total", "nesting is too deep")
def a_deep_formula(d: Json) -> None:
    for _ in range(5_000):
        d["claim"]["body"] = ["not", d["claim"]["body"]]


@forged("total", "nesting is too deep")
def a_deep_path(d: Json) -> None:
    for _ in range(5_000):
        d["claim"]["objectives"][1]["path"] = ["next", d["claim"]["objectives"][1]["path"]]


@forged("total", "a memory is too large")
def a_memory_that_explodes(d: Json) -> None:
    pairs = [
        ["or", ["next", ["until", ["true"], ["atom", 0], 2 * i]], ["next", ["until", ["true"], ["atom", 0], 2 * i + 1]]] for i in range(40)
    ]
    d["claim"]["objectives"][1]["path"] = ["and", *pairs]
