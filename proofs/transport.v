(* Seminorms, couplings and matching: from plans between rows to bounds on distances. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Lemma sum_zero (R : realFieldType) (I : finType) (P : pred I) (F : I -> R) i :
  (forall i, 0 <= F i) -> \sum_(i | P i) F i = 0 -> P i -> F i = 0.
Proof. by move=> F0 h Pi; apply: (psumr_eq0P (P := P)) => // k _; exact: F0. Qed.

Section Seminorm.
Variables (R : realFieldType) (V : lmodType R) (N : V -> R).
Hypothesis HN : seminorm N.

Lemma N_add x y : N (x + y) <= N x + N y. Proof. by case: HN. Qed.
Lemma N_scale a x : N (a *: x) = `|a| * N x. Proof. by case: HN. Qed.
Lemma N0 : N 0 = 0. Proof. by rewrite -(scale0r 0) N_scale normr0 mul0r. Qed.
Lemma N_opp x : N (- x) = N x. Proof. by rewrite -scaleN1r N_scale normrN1 mul1r. Qed.
Lemma N_sym x y : N (x - y) = N (y - x). Proof. by rewrite -opprB N_opp. Qed.
Lemma N_pos a x : 0 <= a -> N (a *: x) = a * N x. Proof. by move=> h; rewrite N_scale ger0_norm. Qed.

Lemma N_ge0 x : 0 <= N x.
Proof.
have: 0 <= N x + N x by have := N_add x (- x); rewrite subrr N0 N_opp.
by rewrite -mulr2n pmulrn_lge0.
Qed.

Lemma N_sum (I : finType) (P : pred I) (F : I -> V) : N (\sum_(i | P i) F i) <= \sum_(i | P i) N (F i).
Proof.
elim/big_rec2: _ => [|i y x _ h]; first by rewrite N0.
by apply: le_trans (N_add _ _) _; rewrite ler_add2l.
Qed.

Lemma N_reverse x y : N x - N y <= N (x - y).
Proof. by rewrite ler_subl_addr; apply: le_trans (N_add _ _); rewrite subrK. Qed.

Section Diameter.
Variables (T : finType) (z : T -> V) (G : {set T}).

Lemma diam_ge0 : 0 <= diam N z G. Proof. exact: bigmax_ge0. Qed.

Lemma dist_le_diam j k : j \in G -> k \in G -> N (z j - z k) <= diam N z G.
Proof.
move=> hj hk; apply: le_trans (le_bigmax (fun j => \big[Num.max/0]_(k in G) N (z j - z k)) hj).
exact: (le_bigmax (fun k => N (z j - z k)) hk).
Qed.

Lemma diam_le c : 0 <= c -> (forall j k, j \in G -> k \in G -> N (z j - z k) <= c) -> diam N z G <= c.
Proof. by move=> c0 h; apply: bigmax_le => // j hj; apply: bigmax_le => // k hk; exact: h. Qed.

Lemma diam_eq c j k : 0 <= c -> (forall j k, j \in G -> k \in G -> N (z j - z k) <= c) ->
  j \in G -> k \in G -> N (z j - z k) = c -> diam N z G = c.
Proof.
move=> c0 h hj hk e; apply/eqP; rewrite eq_le diam_le //=.
by rewrite -e; exact: dist_le_diam.
Qed.

End Diameter.

Lemma diam_subset (T : finType) (z : T -> V) (G H : {set T}) :
  {subset G <= H} -> diam N z G <= diam N z H.
Proof.
move=> s; apply: diam_le; first exact: diam_ge0.
by move=> j k /s hj /s hk; exact: dist_le_diam.
Qed.

Lemma diam_le_all (T : finType) (z : T -> V) (G : {set T}) : diam N z G <= diam N z setT.
Proof. by apply: diam_subset => k; rewrite inE. Qed.

(* ---------------------------------------------------------------------- Couplings *)

Section Coupling.
Variables (T : finType) (z : T -> V).

Lemma coupling_bound (p q : T -> R) pi : coupling p q pi ->
  N (\sum_k p k *: z k - \sum_k q k *: z k) <= cost pi (fun k l => N (z k - z l)).
Proof.
case=> pi0 hp hq.
have -> : \sum_k p k *: z k - \sum_k q k *: z k = \sum_k \sum_l pi k l *: (z k - z l).
  rewrite (eq_bigr (fun k => \sum_l pi k l *: z k)); last by move=> k _; rewrite -hp scaler_suml.
  rewrite [X in _ - X](eq_bigr (fun l => \sum_k pi k l *: z l)); last first.
    by move=> l _; rewrite -hq scaler_suml.
  rewrite [X in _ - X]exchange_big -sumrB; apply: eq_bigr => k _.
  by rewrite -sumrB; apply: eq_bigr => l _; rewrite scalerBr.
apply: le_trans (N_sum _ _) _; apply: ler_sum => k _.
apply: le_trans (N_sum _ _) _; apply: ler_sum => l _.
by rewrite N_pos.
Qed.

(* Two weights of equal mass M, whose tokens lie at most c from one another. *)
Lemma match_bound (p q : T -> R) (M c : R) :
  (forall k, 0 <= p k) -> (forall k, 0 <= q k) -> \sum_k p k = M -> \sum_k q k = M ->
  (forall k l, p k != 0 -> q l != 0 -> N (z k - z l) <= c) ->
  N (\sum_k p k *: z k - \sum_k q k *: z k) <= M * c.
Proof.
move=> p0 q0 hp hq h.
have M0 : 0 <= M by rewrite -hp sumr_ge0.
case: (eqVneq M 0) => [Mz|Mn].
  have z0 (w : T -> R) : (forall k, 0 <= w k) -> \sum_k w k = M -> \sum_k w k *: z k = 0.
    by move=> w0 hw; apply: big1 => k _; rewrite (@sum_zero R T predT w k) ?scale0r // hw.
  by rewrite !z0 // subrr N0 Mz mul0r.
apply: le_trans (@coupling_bound p q (fun k l => p k * q l / M) _) _.
  split=> [k l|k|l].
  - by rewrite divr_ge0 // mulr_ge0.
  - by rewrite -mulr_suml -mulr_sumr hq mulfK.
  - rewrite -mulr_suml (eq_bigr (fun k => q l * p k)) => [|k _]; last by rewrite mulrC.
    by rewrite -mulr_sumr hp mulfK.
rewrite -{2}hp mulr_suml; apply: ler_sum => k _.
rewrite (_ : p k * c = \sum_l p k * q l / M * c); last first.
  by rewrite -mulr_suml -mulr_suml -mulr_sumr hq mulfK.
apply: ler_sum => l _ /=.
case: (eqVneq (p k) 0) => [->|pk]; first by rewrite !mul0r.
case: (eqVneq (q l) 0) => [->|ql]; first by rewrite mulr0 !mul0r.
by apply: ler_wpmul2l; [rewrite divr_ge0 // mulr_ge0 | exact: h].
Qed.

End Coupling.
End Seminorm.

(* -------------------------------------------------------------------------- Cells *)

Section Cells.
Variables (R : realFieldType) (X K : finType) (c : X -> K).
Implicit Types p q : X -> R.

Lemma sum_cells p : \sum_r cells c p r = \sum_k p k.
Proof. by rewrite [RHS](partition_big c predT). Qed.

Lemma cells_ge0 p r : (forall k, 0 <= p k) -> 0 <= cells c p r.
Proof. by move=> h; apply: sumr_ge0. Qed.

Lemma cells_scale p (a : K -> R) r : cells c (fun k => p k * a (c k)) r = cells c p r * a r.
Proof. by rewrite /cells mulr_suml; apply: eq_bigr => k /eqP->. Qed.

Lemma cells_zero p k : (forall k, 0 <= p k) -> cells c p (c k) = 0 -> p k = 0.
Proof. by move=> h /(sum_zero h); apply. Qed.

(* A plan between cells, spread inside the cells in proportion. *)
Lemma spread p q (C : X -> X -> R) (E : K -> K -> R) pi :
  (forall k, 0 <= p k) -> (forall k, 0 <= q k) -> (forall k l, C k l <= E (c k) (c l)) ->
  coupling (cells c p) (cells c q) pi ->
  exists2 fine, coupling p q fine & cost fine C <= cost pi E.
Proof.
move=> p0 q0 CE [pi0 hp hq]; set P := cells c p in hp; set Q := cells c q in hq.
have P0 r : 0 <= P r by exact: cells_ge0.
have Q0 r : 0 <= Q r by exact: cells_ge0.
have zP r s : pi r s * (P r / P r) = pi r s.
  case: (eqVneq (P r) 0) => h; last by rewrite divff // mulr1.
  by rewrite (@sum_zero R K predT (pi r)) ?mul0r // hp.
have zQ r s : pi r s * (Q s / Q s) = pi r s.
  case: (eqVneq (Q s) 0) => h; last by rewrite divff // mulr1.
  by rewrite (@sum_zero R K predT (fun i => pi i s)) ?mul0r // hq.
pose x k := p k / P (c k); pose y l := q l / Q (c l).
have x0 k : 0 <= x k by rewrite divr_ge0.
have y0 l : 0 <= y l by rewrite divr_ge0.
have cx r : cells c x r = P r / P r by rewrite (cells_scale p (fun r => (P r)^-1)).
have cy r : cells c y r = Q r / Q r by rewrite (cells_scale q (fun r => (Q r)^-1)).
have sy r (F : K -> R) : \sum_l pi r (c l) * y l * F (c l) = \sum_s pi r s * F s.
  rewrite (partition_big c predT) //=; apply: eq_bigr => s _.
  rewrite (eq_bigr (fun l => pi r s * F s * y l)); last by move=> l /eqP->; rewrite mulrAC.
  by rewrite -mulr_sumr -/(cells c y s) cy mulrAC zQ.
have sx s (F : K -> R) : \sum_k x k * pi (c k) s * F (c k) = \sum_r pi r s * F r.
  rewrite (partition_big c predT) //=; apply: eq_bigr => r _.
  rewrite (eq_bigr (fun k => pi r s * F r * x k)); last first.
    by move=> k /eqP->; rewrite [x k * _]mulrC mulrAC.
  by rewrite -mulr_sumr -/(cells c x r) cx mulrAC zP.
exists (fun k l => x k * pi (c k) (c l) * y l).
  split=> [k l|k|l]; first by rewrite mulr_ge0 // mulr_ge0.
  - rewrite (eq_bigr (fun l => x k * (pi (c k) (c l) * y l * 1))); last by move=> l _; rewrite mulr1 mulrA.
    rewrite -mulr_sumr (sy (c k) (fun=> 1)) (eq_bigr (pi (c k))); last by move=> s _; rewrite mulr1.
    rewrite hp /x; case: (eqVneq (P (c k)) 0) => h; last by rewrite divfK.
    by rewrite h mulr0 (cells_zero p0 h).
  - rewrite -mulr_suml (eq_bigr (fun k => x k * pi (c k) (c l) * 1)); last by move=> k _; rewrite mulr1.
    rewrite (sx (c l) (fun=> 1)) (eq_bigr (fun r => pi r (c l))); last by move=> s _; rewrite mulr1.
    rewrite hq /y; case: (eqVneq (Q (c l)) 0) => h; last by rewrite mulrC divfK.
    by rewrite h mul0r (cells_zero q0 h).
apply: (@le_trans _ _ (\sum_k \sum_l x k * pi (c k) (c l) * y l * E (c k) (c l))).
  by apply: ler_sum => k _; apply: ler_sum => l _; rewrite ler_wpmul2l // mulr_ge0 // mulr_ge0.
rewrite (eq_bigr (fun k => x k * \sum_s pi (c k) s * E (c k) s)); last first.
  move=> k _; rewrite -(sy (c k) (E (c k))) mulr_sumr; apply: eq_bigr => l _.
  by rewrite !mulrA.
rewrite (partition_big c predT) //= /cost; apply: ler_sum => r _.
rewrite (eq_bigr (fun k => x k * \sum_s pi r s * E r s)); last by move=> k /eqP->.
rewrite -mulr_suml -/(cells c x r) cx mulrC mulr_suml; apply: ler_sum => s _.
by rewrite mulrAC zP.
Qed.

(* What two weights of equal mass can exchange inside the cells, and the rest. *)
Lemma split_bound (V : lmodType R) (N : V -> R) (z : X -> V) p q (D : R) (d : K -> R) :
  seminorm N -> (forall k, 0 <= p k) -> (forall k, 0 <= q k) -> \sum_k p k = \sum_k q k ->
  (forall k l, N (z k - z l) <= D) -> (forall k l, c k = c l -> N (z k - z l) <= d (c k)) ->
  N (\sum_k p k *: z k - \sum_k q k *: z k)
    <= \sum_r Num.min (cells c p r) (cells c q r) * d r
       + (\sum_k p k - \sum_r Num.min (cells c p r) (cells c q r)) * D.
Proof.
move=> HN p0 q0 epq hD hd.
pose a r := Num.min (cells c p r) (cells c q r).
have a0 r : 0 <= a r by rewrite le_minr !cells_ge0.
pose part w k := w k * (a (c k) / cells c w (c k)).
have part_cells w r : (forall k, 0 <= w k) -> a r <= cells c w r -> cells c (part w) r = a r.
  move=> w0 aw; rewrite (cells_scale w (fun r => a r / cells c w r)).
  case: (eqVneq (cells c w r) 0) => h; last by rewrite mulrC divfK.
  by apply/eqP; rewrite h mul0r eq_sym eq_le a0 -h aw.
have part_ge0 w k : (forall k, 0 <= w k) -> 0 <= part w k.
  by move=> w0; rewrite mulr_ge0 // divr_ge0 // cells_ge0.
have part_le w k : (forall k, 0 <= w k) -> a (c k) <= cells c w (c k) -> 0 <= w k - part w k.
  move=> w0 aw; rewrite subr_ge0 /part.
  case: (eqVneq (cells c w (c k)) 0) => h; first by rewrite h invr0 !mulr0.
  by rewrite -{2}(mulr1 (w k)) ler_wpmul2l // ler_pdivr_mulr ?mul1r // lt_def h cells_ge0.
have ap r : a r <= cells c p r by rewrite le_minl lexx.
have aq r : a r <= cells c q r by rewrite le_minl lexx orbT.
have -> : \sum_k p k *: z k - \sum_k q k *: z k
  = (\sum_k part p k *: z k - \sum_k part q k *: z k)
    + (\sum_k (p k - part p k) *: z k - \sum_k (q k - part q k) *: z k).
  have e w : \sum_k w k *: z k = \sum_k part w k *: z k + \sum_k (w k - part w k) *: z k.
    by rewrite -big_split; apply: eq_bigr => k _ /=; rewrite -scalerDl addrC subrK.
  by rewrite (e p) (e q) opprD !addrA; congr (_ + _); rewrite addrAC.
apply: le_trans (N_add HN _ _) _; apply: ler_add.
  have e w : \sum_k part w k *: z k
      = \sum_r \sum_k (if c k == r then part w k else 0) *: z k.
    rewrite (partition_big c predT) //=; apply: eq_bigr => r _.
    by rewrite big_mkcond; apply: eq_bigr => k _; case: ifP; rewrite ?scale0r.
  rewrite (e p) (e q) -sumrB; apply: le_trans (N_sum HN _ _) _; apply: ler_sum => r _.
  apply: (match_bound HN).
  - by move=> k; case: ifP => // _; exact: part_ge0.
  - by move=> k; case: ifP => // _; exact: part_ge0.
  - by rewrite -big_mkcond /= -/(cells c (part p) r) part_cells.
  - by rewrite -big_mkcond /= -/(cells c (part q) r) part_cells.
  move=> k l; case: ifP => [/eqP ck|_]; last by rewrite eqxx.
  case: ifP => [/eqP cl|_]; last by rewrite eqxx.
  by move=> _ _; rewrite -ck; apply: hd; rewrite ck cl.
have mass w : (forall k, 0 <= w k) -> (forall r, a r <= cells c w r) ->
    \sum_k (w k - part w k) = \sum_k w k - \sum_r a r.
  move=> w0 aw; rewrite sumrB -(sum_cells (part w)); congr (_ - _).
  by apply: eq_bigr => r _; rewrite part_cells.
apply: (match_bound HN) => //.
- by move=> k; exact: part_le.
- by move=> k; exact: part_le.
- exact: mass.
- by rewrite mass // epq.
Qed.

End Cells.
