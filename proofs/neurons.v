(* The neurons' views in closed form. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Import statements scalars transport upper.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

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
