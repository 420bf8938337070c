"""Forged proofs of format 2: a valid proof with its arrays written out, one change, and the reason for which it must be rejected."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Json = Any
Change = Callable[[Json], None]
NULL = -(2**63)


def world(d: Json) -> Json:
    return d["worlds"][0]


def lemma(d: Json, i: int) -> Json:
    return d["evidence"]["lemmas"][i]


def potential(d: Json, i: int, tail: int = 0) -> list[int]:
    """Of a tail of a bound, ready to be changed."""
    table = lemma(d, i)["tails"][tail][1]
    table["inline"] = "i8"
    return table["values"]


def setting(place: Callable[[Json], Json], key: Any, value: Any) -> Change:
    def change(d: Json) -> None:
        place(d)[key] = copy.deepcopy(value)

    return change


def values(*path: Any) -> Callable[[Json], list[int]]:
    """The values of the array at this path."""

    def place(d: Json) -> list[int]:
        for key in path:
            d = d[key]
        return d["values"]

    return place


def at(*path: Any) -> Callable[[Json], Json]:
    def place(d: Json) -> Json:
        for key in path:
            d = d[key]
        return d

    return place


W, E = ("worlds", 0), ("evidence",)
PRODUCT, LEMMAS, POLICY = (*E, "products", 0), (*E, "lemmas"), (*E, "policies", 0)


def negative(*path: Any) -> Change:
    """-1 for the last: what Python would take for the same."""

    def change(d: Json) -> None:
        column = at(*path)(d)
        column["inline"] = "i4"
        top = max(column["values"])
        column["values"] = [-1 if v == top else v for v in column["values"]]

    return change


def sunk(i: int, by: int = 1) -> Change:
    def change(d: Json) -> None:
        table = potential(d, i)
        table[:] = [v - by for v in table]

    return change


def one_lower(i: int, node: int) -> Change:
    def change(d: Json) -> None:
        potential(d, i)[node] -= 1

    return change


def null_at(i: int, node: int) -> Change:
    def change(d: Json) -> None:
        potential(d, i)[node] = NULL

    return change


def all_null(i: int) -> Change:
    def change(d: Json) -> None:
        table = potential(d, i)
        table[:] = [NULL] * len(table)

    return change


def no_finite(d: Json) -> None:
    """Without I nothing keeps a policy from the trap."""
    lemma(d, 1)["finite"] = []


def without_last_node(product: int) -> Change:
    def change(d: Json) -> None:
        for column in ("state", "memory"):
            d["evidence"]["products"][product][column]["values"].pop()
        for row in d["evidence"]["lemmas"]:
            if row.get("product") == product:
                for table in [t for _, t in row.get("tails", [])] + [row[k] for k in ("table",) if row.get(k)] + row.get("layers", []):
                    table["values"].pop()
        for policy in d["evidence"]["policies"]:
            for _, of, plans in policy["parts"]:
                for plan in plans if of == product else []:
                    plan["values"].pop()

    return change


def twice_the_same_node(d: Json) -> None:
    """A node listed twice, the second time with the value 0."""
    d["evidence"]["products"][0]["state"]["values"][-1] = 0
    d["evidence"]["products"][0]["memory"]["values"][-1] = 0


def settled_and_listed(d: Json) -> None:
    """Memory true for a product with the path alone: nothing is left to earn."""
    product = d["evidence"]["products"][0]
    product["memories"].append(["closed", "true"])
    product["memory"]["values"][-1] = 2


def a_negative_share(d: Json) -> None:
    world(d)["probabilities"] = ["1", "3/2", "-1/2"]
    world(d)["probability"]["values"][2] = 2


def two_of_a_kind(d: Json) -> None:
    world(d)["successor"]["values"][1:3] = [1, 1]


def merged_states(d: Json) -> None:
    world(d)["states"][0]["values"][2] = 1


def same_action(d: Json) -> None:
    world(d)["action"]["values"][1] = 0


def shifted_choices(d: Json) -> None:
    """The risky choice moves from s to done, which stays for ever otherwise."""
    world(d)["choice_start"]["values"][1] = 1


def tail_twice(d: Json) -> None:
    """The second one would lower the bound, which is the sum of all."""
    tails = lemma(d, 1)["tails"]
    tails.append(copy.deepcopy(tails[0]))


def longer_layers(d: Json) -> None:
    del lemma(d, 1)["layers"][0]


def null_in_a_layer(d: Json) -> None:
    table = lemma(d, 0)["layers"][1]
    table["inline"], table["values"][0] = "i8", NULL


def one_more_plan(d: Json) -> None:
    plans = d["evidence"]["policies"][0]["parts"][0][2]
    plans.append(copy.deepcopy(plans[-1]))


def a_part_in_another_world(d: Json) -> None:
    d["worlds"].append(copy.deepcopy(world(d)))
    empty = {"inline": "i4", "values": []}
    d["evidence"]["products"].append({"world": 1, "objectives": [], "memories": [], "state": empty, "memory": dict(empty)})
    parts = d["evidence"]["policies"][0]["parts"]
    parts[0][0] = "1/4"
    parts.append(["1/4", 1, [dict(empty)]])


def swapped_parts(d: Json) -> None:
    lemma(d, 2)["parts"] = [1, 0]


def parts_of_another_policy(d: Json) -> None:
    d["evidence"]["policies"].append(copy.deepcopy(d["evidence"]["policies"][0]))
    lemma(d, 0)["policy"] = [1, 0]


def a_part_for_the_whole(d: Json) -> None:
    """The bound of one part used as if it spoke of the policy."""
    d["evidence"]["argument"]["tree"][3][1][0][0] = ["lemma", 0, "pi"]


def mixed_weights(d: Json) -> None:
    lemma(d, 2)["parts"] = [0, 4]


def in_a_type(**kind: Any) -> Change:
    def change(d: Json) -> None:
        d["claim"]["types"][0].update(kind)

    return change


def two_claims(d: Json) -> None:
    d["claim"]["body"] = ["false"]


def named_policy(d: Json) -> None:
    d["claim"]["policies"].append({"name": "sigma", "type": 0, "controller": {"start": [], "rules": []}})


def a_recurrence(d: Json) -> None:
    d["claim"]["objectives"][1] = {"world": 0, "kind": "recurrence", "atom": 0}


def large_slack(d: Json) -> None:
    lemma(d, 0)["slack"] = "100"


def without_table(d: Json) -> None:
    lemma(d, 0).update(table=None)


def without_product(d: Json) -> None:
    lemma(d, 0).update(table=None, product=None)


def a_limit(d: Json) -> None:
    """finite: g = 0 where every step costs."""
    lemma(d, 0)["finite"] = {"inline": "u1", "values": [0, 0, 0, 0]}


def not_well_defined(d: Json) -> None:
    d["evidence"]["lemmas"][0] = copy.deepcopy(lemma(d, 2))


def another_bottom(d: Json) -> None:
    lemma(d, 1)["denominator"] = "2"


def in_two_products(d: Json) -> None:
    lemma(d, 1)["policy"] = [0, 0]


ALL: list[tuple[str, str, Change, str]] = [
    # the world
    ("probability_table", "total", setting(at(*W, "probabilities"), 1, "1/3"), "do not sum to 1"),
    ("probability_index", "total", setting(values(*W, "probability"), 0, 1), "do not sum to 1"),
    ("probability_beyond", "total", setting(values(*W, "probability"), 0, 2), "out of range"),
    ("negative_probability", "total", a_negative_share, "greater than 0"),
    ("successor", "total", setting(values(*W, "successor"), 0, 2), "too small at a choice"),
    ("successor_beyond", "total", setting(values(*W, "successor"), 0, 3), "out of range"),
    ("successor_from_the_end", "total", negative(*W, "successor"), "out of range"),
    ("probability_from_the_end", "total", negative(*W, "probability"), "out of range"),
    ("label_from_the_end", "total", negative(*W, "atoms", 0, "holds"), "out of range"),
    ("node_from_the_end", "total", negative(*PRODUCT, "state"), "out of range"),
    ("memory_from_the_end", "total", negative(*PRODUCT, "memory"), "out of range"),
    ("action_from_the_end", "total", negative(*W, "action"), "out of range"),
    ("reward_from_the_end", "total", negative(*W, "rewards", "r", "index"), "out of range"),
    ("successor_twice", "total", two_of_a_kind, "a successor occurs twice"),
    ("state_twice", "total", merged_states, "a state occurs twice"),
    ("state_outside", "total", setting(values(*W, "states", 0), 2, 3), "outside its variable's type"),
    ("action_twice", "total", same_action, "an action of a state occurs twice"),
    ("action_beyond", "total", setting(values(*W, "action"), 0, 3), "out of range"),
    ("choices_moved", "total", shifted_choices, ""),
    ("choiceless", "total", setting(values(*W, "choice_start"), 1, 3), "a state has no choice"),
    ("choices_from_1", "total", setting(values(*W, "choice_start"), 0, 1), "begin with 0"),
    ("backwards", "total", setting(values(*W, "transition_start"), 1, 4), "no successor"),
    ("reward", "total", setting(at(*W, "rewards", "r", "values"), 1, "11"), ""),
    ("reward_index", "total", setting(values(*W, "rewards", "r", "index"), 3, 1), "neither idles"),
    ("reward_beyond", "total", setting(values(*W, "rewards", "r", "index"), 3, 3), "out of range"),
    ("label", "total", setting(values(*W, "atoms", 0, "holds"), 1, 1), ""),
    ("label_2", "total", setting(values(*W, "atoms", 0, "holds"), 1, 2), "out of range"),
    ("start", "total", setting(at(*W), "initial", [[0, "1/2"], [1, "1/4"]]), "do not sum to 1"),
    ("start_beyond", "total", setting(at(*W), "initial", [[3, "1"]]), "index or count"),
    ("float", "total", setting(at(*W), "probabilities", ["1", 0.5]), "exact number"),
    # products
    ("node_missing", "total", without_last_node(0), "a node is missing"),
    ("start_missing", "total", setting(values(*PRODUCT, "state"), 0, 2), "a node is"),
    ("node_twice", "total", twice_the_same_node, "a node is listed twice"),
    ("node_beyond", "total", setting(values(*PRODUCT, "state"), 0, 3), "out of range"),
    ("memory_beyond", "total", setting(values(*PRODUCT, "memory"), 0, 2), "out of range"),
    ("settled_listed", "until", settled_and_listed, "a settled node is listed"),
    ("memory_key", "total", setting(at(*PRODUCT, "memories", 0), 1, '["until",["true"],["atom",0],5]'), "a node is missing"),
    ("memory_form", "total", setting(at(*PRODUCT, "memories", 0), 1, '["until", ["true"],["atom",0],null]'), "normal form"),
    ("memory_twice", "total", setting(at(*PRODUCT, "memories"), 1, ["", '["until",["true"],["atom",0],null]']), "a memory occurs twice"),
    ("other_world", "total", setting(at(*PRODUCT), "world", 1), "index or count"),
    # policies
    ("disabled_action", "total", setting(values(*POLICY, "parts", 0, 2, 0), 0, 2), "what is not enabled"),
    ("disabled_action_2", "total", setting(values(*POLICY, "parts", 0, 2, 0), 0, -2), "what is not enabled"),
    ("other_choice", "total", setting(values(*POLICY, "parts", 0, 2, 0), 0, 1), "no plan where it can be"),
    ("no_plan_at_start", "total", setting(values(*POLICY, "parts", 0, 2, 0), 0, -1), "no plan where it starts"),
    ("no_plan_later", "horizon", setting(values(*POLICY, "parts", 0, 2, 1), 1, -1), "no plan where it can be"),
    ("weights_of_a_mixture", "witness", setting(at(*POLICY, "parts", 0), 0, "1/3"), "do not sum to 1"),
    ("weight_0", "witness", setting(at(*POLICY, "parts"), 0, ["0", 0, []]), "greater than 0"),
    ("more_plans_than_layers", "witness", one_more_plan, "fewer layers than a policy has plans"),
    ("part_in_another_world", "witness", a_part_in_another_world, "a policy in two worlds"),
    ("part_in_another_product", "total", in_two_products, "no such part in this product"),
    ("deterministic_mixture", "witness", in_a_type(deterministic=True), "does not belong"),
    ("memoryless_mixture", "witness", in_a_type(memoryless=True), "does not belong"),
    ("memory_1", "witness", in_a_type(memory=1), "does not belong"),
    ("observes", "witness", in_a_type(observes=[]), "does not belong"),
    ("optimum_in_memory_1", "total", in_a_type(memory=1), "not about a policy of its type"),
    # bounds
    ("one_lower", "total", one_lower(1, 0), "too small at a choice"),
    ("stay_condition_lost", "total", sunk(1), "negative potential where play can stay"),
    ("harm_then_idle", "losing_loop", sunk(1), "negative potential where play can stay"),
    ("settled_counts_as_staying", "until", sunk(1), "negative potential where play can stay"),
    ("discounted", "discount", sunk(0), "too small at a choice"),
    ("null_for_a_live_node", "losing_loop", null_at(1, 0), "where a node is live"),
    ("everything_dead", "trap", all_null(1), "where a node is live"),
    ("a_dead_number", "trap", setting(lambda d: potential(d, 1), 3, 0), "too small at a choice"),
    ("null_without_I", "paths", null_at(0, 0), "where a node is live"),
    ("null_discounted", "discount", null_at(0, 0), "null in a discounted tail"),
    ("null_in_a_layer", "horizon", null_in_a_layer, "where a node is live"),
    ("I_forgotten", "trap", no_finite, "every weighted total or until"),
    ("layer_lower", "horizon", setting(values(*LEMMAS, 0, "layers", 1), 0, 9), "too small at a choice"),
    ("layer_missing", "horizon", longer_layers, "fewer layers"),
    ("layers_none", "horizon", setting(at(*LEMMAS, 1), "layers", []), "fewer layers"),
    ("tail_missing", "horizon", setting(at(*LEMMAS, 0), "tails", []), "one tail for each"),
    ("tail_twice", "total", tail_twice, "one tail for each"),
    ("tail_of_another_discount", "discount", setting(at(*LEMMAS, 0, "tails", 0), 0, "1/3"), "one tail for each"),
    ("denominator", "total", another_bottom, "too small at a choice"),
    ("denominator_0", "total", setting(at(*LEMMAS, 1), "denominator", "0"), "greater than 0"),
    ("denominator_negative", "total", setting(at(*LEMMAS, 1), "denominator", "-1"), "greater than 0"),
    ("denominator_fraction", "total", setting(at(*LEMMAS, 1), "denominator", "1/2"), "integer as a string"),
    ("weights", "total", setting(at(*LEMMAS, 1, "weights", 1), 1, "5"), "too small at a choice"),
    ("weight_missing", "total", setting(at(*LEMMAS, 1), "weights", [[0, "1"]]), "sum is no contradiction"),
    ("short_table", "total", setting(at(*LEMMAS, 1, "tails", 0, 1), "values", [10, 0]), "wrong length"),
    ("value_of_the_best", "total", setting(values(*LEMMAS, 3, "tails", 0, 1), 0, -11), "too small at a choice"),
    ("mixture_order", "witness", swapped_parts, "other policies"),
    ("mixture_of_anothers_parts", "witness", parts_of_another_policy, "other policies"),
    ("part_for_the_whole", "witness", a_part_for_the_whole, "not a bound"),
    ("mixture_of_different", "witness", mixed_weights, "different bounds"),
    ("mixture_incomplete", "witness", setting(at(*LEMMAS, 2), "parts", [0]), "expected a list of 2"),
    # well-defined sums
    ("wrong_sign", "losing_loop", setting(at(*LEMMAS, 0), "sign", "cost"), "neither idles"),
    ("slack", "losing_loop", large_slack, "neither idles"),
    ("slack_0", "losing_loop", setting(at(*LEMMAS, 0), "slack", "0"), "positive slack"),
    ("gains_without_table", "total", without_table, "neither idles"),
    ("gains_without_product", "total", without_product, "neither idles"),
    ("not_finite", "trap", a_limit, "finite: the potential is too small"),
    ("not_well_defined", "total", not_well_defined, "without a well-defined lemma"),
    # the claim
    ("another_body", "total", two_claims, "leaf that is not closed"),
    ("a_named_policy", "total", named_policy, "for format 1"),
    ("recurrence", "until", a_recurrence, "a recurrence objective"),
    ("format_1", "total", setting(lambda d: d, "format", "twostep-proof 1"), "arrays are for format 2"),
    ("format_3", "total", setting(lambda d: d, "format", "twostep-proof 3"), "another format"),
]  # fmt: skip
