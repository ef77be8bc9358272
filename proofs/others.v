(* Softmax rows by their odds, and the neurons' views in closed form. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Odds.
Variable R : realFieldType.
Add Ring odds_ring : (carrier_ring R).

(* p and q: the weights of one set of tokens under two rows. *)
Lemma odds_gap (r p q : R) : 1 <= r -> 0 <= q -> q <= p -> p <= 1 ->
  p * (1 - q) <= r ^+ 2 * (q * (1 - p)) -> p - q <= (r - 1) / (r + 1).
Proof.
move=> r1 q0 qp p1 h.
have r0 : 0 <= r by exact: le_trans ler01 r1.
have rp : 0 < r + 1 by rewrite ltr_spaddr // ltr01.
have e0 : 0 <= 1 - (p - q) by rewrite (_ : _ - _ = (1 - p) + q); [visible | by_ring R].
have sq : (1 + (p - q)) ^+ 2 <= (r * (1 - (p - q))) ^+ 2.
  apply: (@le_diff _ ((1 + 1) * (1 + 1) * (r ^+ 2 * (q * (1 - p)) - p * (1 - q))
                      + ((r - 1) * (r + 1)) * (p + q - 1) ^+ 2)); last by by_ring R.
  by visible; rewrite ltW.
have lin : 1 + (p - q) <= r * (1 - (p - q)).
  rewrite -(@ler_pexpn2r _ 2) // nnegrE; last by rewrite mulr_ge0.
  by rewrite addr_ge0 ?ler01 // subr_ge0.
rewrite ler_pdivl_mulr //.
by apply: (@le_diff _ (r * (1 - (p - q)) - (1 + (p - q)))); [visible | by_ring R].
Qed.

End Odds.

Theorem odds : statements.odds.
Proof.
move=> R T A r j i HA r1 h; pose S k := A i k < A j k.
pose p := \sum_(k | S k) A j k; pose q := \sum_(k | S k) A i k.
have co x : \sum_(k | ~~ S k) A x k = 1 - \sum_(k | S k) A x k.
  by rewrite -(A_sum HA x) [X in _ = X - _](bigID S) /= addrAC subrr add0r.
have -> : variation A j i = p - q.
  rewrite -(excess_sum HA) -sumrB [RHS]big_mkcond; apply: eq_bigr => k _.
  rewrite /excess /S; case: ltP => hk; first by apply/max_idPl; rewrite subr_ge0 ltW.
  by apply/max_idPr; rewrite subr_le0.
apply: odds_gap => //.
- by apply: sumr_ge0 => k _; exact: A_ge0.
- by apply: ler_sum => k /ltW.
- by rewrite -subr_ge0 -co sumr_ge0 // => k _; exact: A_ge0.
rewrite -!co !mulr_suml mulr_sumr; apply: ler_sum => k _.
rewrite !mulr_sumr; apply: ler_sum => l _.
by rewrite [A i k * _]mulrC.
Qed.

Theorem odds_cluster : statements.odds_cluster.
Proof.
move=> R V N T A z G r HN HA r1 h.
have D0 : 0 <= diam N z setT by exact: diam_ge0.
apply: diam_le => [|j i hj hi].
  rewrite mulr_ge0 // divr_ge0 ?subr_ge0 // addr_ge0 // ?ler01 //; exact: le_trans ler01 r1.
apply: le_trans (_ : variation A j i * diam N z setT <= _); last first.
  by rewrite ler_wpmul2r //; apply: odds => //; exact: h.
rewrite attend_diff; apply: (match_bound HN).
- exact: excess_ge0.
- exact: excess_ge0.
- exact: excess_sum.
- by rewrite -excess_sum_sym // excess_sum.
- by move=> k l _ _; apply: dist_le_diam; rewrite inE.
Qed.

Theorem neurons : statements.neurons.
Proof.
move=> R W P T tok A y l; elim: l => [|l IH] i p /=.
  rewrite (bigD1 p) //= /view0 eqxx big1 ?addr0 // => r rp.
  by rewrite eq_sym (negbTE rp) scaler0.
rewrite scaler_suml; apply: eq_bigr => k _.
by rewrite IH scalerA.
Qed.

Theorem neurons_mass : statements.neurons_mass.
Proof.
move=> R P T tok A l i inj HA /=; elim: l i => [|l IH] i /=.
  rewrite -(A_sum (HA 0%N) i) /mass [in RHS](bigID (mem (~: [set tok p | p in P]))) /=.
  rewrite addrAC subrr add0r (eq_bigl (mem [set tok p | p in P])); last first.
    by move=> k; rewrite !inE negbK.
  by rewrite big_imset //= => p q _ _; exact: inj.
rewrite exchange_big /= (eq_bigr (fun k => A l.+1 i k * \sum_p rollout tok A l k p)); last first.
  by move=> k _; rewrite mulr_sumr.
rewrite -(A_sum (HA l.+1) i) -sumrB; apply: eq_bigr => k _.
by rewrite IH mulrBr mulr1.
Qed.
