"""Specs for the tests of the syntax: the page of the language, and one that has a bit of everything else."""

from __future__ import annotations

BOAT_RACE = '''\
// Boat race: the score pays for passing arrows, the task is to finish laps.
const laps = 3
const eps  = 1/2

const course = grid """
  #####
  #>>v#
  #^#v#
  #^<<#
  #####
"""

def wall(x: int, y: int) : bool = course[x, y] == "#"

world Race {
  var x : 0..4 = 1
  var y : 0..4 = 1
  var lap : 0..laps = 0
  var rammed : bool = false

  action east when not wall(x + 1, y) {
    90%: x' = x + 1, lap' = min(lap + 1, laps)   // several assignments: commas
    10%: rammed' = true                          // variables not named keep their value
  }
  action brake { rammed' = false }               // one outcome, probability 1
  action wait  { stay }

  label done = lap == laps
  label hurt = rammed
  reward points { [east] when course[x', y'] == ">": 1 }  // action, guard (primes: the next state), value
  reward damage { when hurt: 1 }                           // any action
}

policies Pi over Race                                     // the type: any policy.

score    J(pi : Pi)    = E[points, horizon 50]
score    Task(pi : Pi) = P[F<=50 done]
property Safe(pi : Pi) = P[F<=50 hurt] <= 1/20 and E[damage, horizon 50] <= 1

policy greedy  : Pi = maximize J                          // one policy: an optimum, a table, a file
policy careful : Pi = { when rammed: wait; when x < 3: east; else: wait }     // the first guard that holds
policy shy     : Pi = maximize J subject to Safe
policy trained : Pi = file "policies/seed_17.json"

claim reward_specification:
  forall pi : Pi. near_optimal(J, pi, eps) => Safe(pi)    // |J(pi) - max(J)| < eps

claim score_tracks_task:                                  // several policies at once
  forall a, b : Pi. not (J(a) < J(b) and Task(a) > Task(b))

claim careful_is_fine: Safe(careful) and J(careful) >= max(J) - 2 and P[G not hurt](careful) > 99%

find margin in (0, 50] maximal for
  forall pi : Pi. near_optimal(J, pi, margin) => Safe(pi)

training T : Pi {
  runs "runs/*.json" confidence 99%
}

claim adequate_learning: P[pi ~ T](near_optimal(J, pi, eps)) > 95%
theorem safe_enough:     P[pi ~ T](Safe(pi)) > 95% by reward_specification, adequate_learning
'''

EVERYTHING = '''\
import "other.spec"
const n : int = 3
const half = if n > 2 then 1/2 else 1e-3
const map : Map = grid """
 ab
cd"""
def mid(a : int, b : int) = (a + b) div 2
def three() : int = 3
enum Dir { N, E, S, W }
param d in [1/20, 1/5]

world Robot(start : int) {
  var pos : 0..4 = start
  var dir : Dir
  for i in 0..3, e in Dir {
    var busy[i] : bool = false
    action begin[i] when not busy[i] { busy[i]' = true }
    label free[i] = not busy[i]
    reward use[i] { [begin[i]]: 1 }
  }
  init uniform pos in 0..2 or dir in {N, S} or dir in Dir
  deadlock absorbs
  reward steps { 1 }
  reward none { }
  reward both {
    [begin[0]] when pos' > pos: 2 * -pos
    when pos == 1: -1
    [begin[1]]: sum i in 0..3. if busy[i] then 1 else 0
  }
}
world Door { var open : bool; init { 1/2: open = true; 1/2: stay }; action wait { stay } }
world House = Robot(0) as a || Robot(mid(2, 4)) as b || Door
world Pair(k : int) = Robot(k)
world Old = prism "f.prism" { N = 3; M = 2 * n }
world Lake = gymnasium "FrozenLake-v1"

policies Pi over House { deterministic; memoryless; memory 2; observes a::pos, b::busy[0] }
policies Rho over Old
policy best : Pi = maximize J subject to Safe
policy least : Pi = minimize J + 2 * K
policy mixed : Pi = {
  when a::pos < 3 and not Door::open: { 1/2: begin[0]; 1/2: wait }
  else: wait
}
policy saved : Pi = file "p.json"
score J(pi : Pi) = E[steps, horizon 50] - 1/2 * E[a::steps, until a::pos == 4]
property Safe(pi : Pi) = P[F<=50 (x < 3)] <= 1/20 and P[(not a) U<=(n + 1) b or G c] >= 1 and P[X `odd name`] == 0
distribution D over Door { 99%: open; 1%: not open }
training T : Pi {
  mixture { 98%: best; 2%: least }
  runs "runs/*.json" confidence 99%
  samples 188 of 200 satisfy near_optimal(J, pi, 1/2) confidence 99%
  regret 40 over 10000 episodes of J
  certificates "c.json" confidence 99%
  uniform 100 from C
  learner empirical J on 24 draws from D
  assume P[pi ~ T](Safe(pi)) > 1/2
}
claim one: forall a, b : Pi, c : Rho. J(a) <= J(b) <=> (J(b) >= J(a) => true)
claim two: P[F hurt](best) > 99% and E[points, total](least) == max(J) - 2 ^ -1 and not (exists p : Pi. false)
claim three: P[pi ~ T](Safe(pi) given J(pi) > 1) + E[pi ~ T](J(pi)) > 95%
theorem four: P[pi ~ T](Safe(pi)) > 95% by one, two
theorem five: true
find eps in (0, infinity) minimal for forall pi : Pi. near_optimal(J, pi, eps) => Safe(pi)
assume six: P[pi ~ T](Safe(pi)) > 1/2 because "measured \\"twice\\""
'''
