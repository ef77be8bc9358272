(* Plans between tokens and between cells, and the bounds that need no plan. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper attained.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem transport : statements.transport.
Proof. by move=> R V N T A z j i pi HN; exact: coupling_bound. Qed.

Theorem block_transport : statements.block_transport.
Proof.
move=> R V N T K A z c C j i pi HN HA hC hpi.
case: (spread (excess_ge0 A j i) (excess_ge0 A i j) hC hpi) => fine hfine le_cost.
rewrite attend_diff; apply: le_trans le_cost; exact: coupling_bound.
Qed.

Theorem block_transport_refine : statements.block_transport_refine.
Proof. by move=> R X K p q c C E pi p0 q0 hC hpi; exact: (spread p0 q0 hC hpi). Qed.

Theorem block_transport_attained : statements.block_transport_attained.
Proof.
move=> R V N u T K A c C j i pi f HN Nu HA [pi0 _ _] fC e.
pose sign k := A i k < A j k; pose g k := f (c k) (sign k).
exists (on_line u g) => [k l|]; first by rewrite N_line //; exact: fC.
have cost0 : 0 <= cost pi C.
  apply: sumr_ge0 => r _; apply: sumr_ge0 => s _; rewrite mulr_ge0 //.
  by apply: le_trans (fC r s true true); exact: normr_ge0.
rewrite attend_diff !sum_line N_line //; rewrite -[RHS](ger0_norm cost0) e sumrB.
have cut (p : T -> R) b : (forall k, p k != 0 -> sign k = b) ->
    \sum_k p k * g k = \sum_r cells c p r * f r b.
  move=> hp; rewrite (partition_big c predT) //=; apply: eq_bigr => r _.
  rewrite /cells mulr_suml; apply: eq_bigr => k /eqP ck.
  by case: (eqVneq (p k) 0) => [->|/hp hk]; rewrite ?mul0r // /g hk ck.
rewrite (cut _ true) ?(cut _ false) // => k; rewrite /excess /sign; case: ltP => // h.
  by rewrite (max_idPr _) ?eqxx // subr_le0 ltW.
by rewrite (max_idPr _) ?eqxx // subr_le0.
Qed.

Theorem independent : statements.independent.
Proof.
move=> R V N T A z j i HN HA; rewrite attend_diff; set t := variation A j i.
have p0 := excess_ge0 A j i; have q0 := excess_ge0 A i j.
have hp : \sum_k excess A j i k = t by exact: excess_sum.
have hq : \sum_k excess A i j k = t by rewrite -excess_sum_sym.
case: (eqVneq t 0) => [tz|tn].
  have zero w : (forall k, 0 <= w k) -> \sum_k w k = t -> \sum_k w k *: z k = 0.
    by move=> w0 hw; apply: big1 => k _; rewrite (@sum_zero R T predT w k) ?scale0r // hw.
  by rewrite !zero // subrr N0 // tz invr0 mulr0.
apply: le_trans (coupling_bound HN _ (_ : coupling _ _ (fun k l => excess A j i k * excess A i j l / t))) _.
  split=> [k l|k|l].
  - by rewrite mulr_ge0 ?invr_ge0 -?hp ?sumr_ge0 // mulr_ge0.
  - by rewrite -mulr_suml -mulr_sumr hq mulfK.
  - rewrite -mulr_suml (eq_bigr (fun k => excess A i j l * excess A j i k)) => [|k _]; last exact: mulrC.
    by rewrite -mulr_sumr hp mulfK.
rewrite /cost mulr_suml; apply: ler_sum => k _; rewrite mulr_suml; apply: ler_sum => l _.
by rewrite mulrAC.
Qed.

Section Centre.
Variables (R : realFieldType) (V : lmodType R) (T : finType) (A : T -> T -> R) (z : T -> V).
Hypothesis HA : stochastic A.

Lemma attend_centre j i o : attend A z j - attend A z i = \sum_k (A j k - A i k) *: (z k - o).
Proof.
rewrite (eq_bigr (fun k => (A j k - A i k) *: z k - (A j k - A i k) *: o)); last first.
  by move=> k _; rewrite scalerBr.
rewrite sumrB -scaler_suml sumrB !(A_sum HA) subrr scale0r subr0 /attend -sumrB.
by apply: eq_bigr => k _; rewrite scalerBl.
Qed.

End Centre.

Theorem star : statements.star.
Proof.
move=> R V N T A z j i o HN HA; rewrite (attend_centre z HA j i o).
apply: le_trans (N_sum HN _ _) _; apply: ler_sum => k _.
by rewrite N_scale.
Qed.

Theorem chi : statements.chi.
Proof.
move=> R V N T A z j i o s L HN HA s0 hL; rewrite (attend_centre z HA j i o).
have := hL (fun k => (A j k - A i k) / s k).
rewrite (eq_bigr (fun k => (A j k - A i k) *: (z k - o))) => [h|k _]; last first.
  congr (_ *: _); case: (eqVneq (s k) 0) => sk; last by rewrite divfK.
  by rewrite (s0 k sk) subrr !mul0r.
apply: le_trans h _; rewrite le_eqVlt; apply/orP; left; apply/eqP; congr (_ * _).
by apply: eq_bigr => k _; rewrite expr_div_n.
Qed.

Theorem block_recursion : statements.block_recursion.
Proof.
move=> R V N T K A z c C pi HN HA hz hpi hC h0; elim=> [//|t IH] j i.
rewrite hz; apply: le_trans (hC t j i).
exact: (block_transport HN (HA t) IH (hpi t j i)).
Qed.
