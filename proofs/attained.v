(* The extremal configurations: tokens on a line u that reach the bounds. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper ranges.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Line.
Variables (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType).
Hypotheses (HN : seminorm N) (Nu : N u = 1).
Add Ring line_ring : (carrier_ring R).
Implicit Types (A : T -> T -> R) (f : T -> R) (G : {set T}).

Definition on_line f (k : T) : V := f k *: u.

Lemma N_line (a b : R) : N (a *: u - b *: u) = `|a - b|.
Proof. by rewrite -scalerBl N_scale // Nu mulr1. Qed.

Lemma sum_line (p : T -> R) f : \sum_k p k *: on_line f k = (\sum_k p k * f k) *: u.
Proof. by rewrite scaler_suml; apply: eq_bigr => k _; rewrite scalerA. Qed.

Lemma between (lo hi x y : R) : lo <= x <= hi -> lo <= y <= hi -> `|x - y| <= hi - lo.
Proof.
move=> /andP[lx xh] /andP[ly yh]; rewrite ler_norml; apply/andP; split.
  by apply: (@le_diff _ ((x - lo) + (hi - y))); [visible | by_ring R].
by apply: (@le_diff _ ((hi - x) + (y - lo))); [visible | by_ring R].
Qed.

Lemma diam_line_le f G lo hi : lo <= hi -> (forall k, k \in G -> lo <= f k <= hi) ->
  diam N (on_line f) G <= hi - lo.
Proof.
move=> h hf; apply: diam_le => [|j k hj hk]; first by rewrite subr_ge0.
by rewrite N_line; apply: between; exact: hf.
Qed.

Lemma diam_line f G lo hi t s : lo <= hi -> (forall k, k \in G -> lo <= f k <= hi) ->
  t \in G -> s \in G -> f t = hi -> f s = lo -> diam N (on_line f) G = hi - lo.
Proof.
move=> h hf ht hs et es; apply/eqP; rewrite eq_le (diam_line_le h hf) /=.
apply: le_trans (dist_le_diam N (on_line f) ht hs).
by rewrite N_line et es ger0_norm // subr_ge0.
Qed.

(* ------------------------------------------- One pair of rows, given the whole matrix *)

Section Pair.
Variables (A : T -> T -> R) (G : {set T}) (d D : R).
Hypotheses (HA : stochastic A) (d0 : 0 <= d) (dD : d <= D).

Definition pair_tokens j i k : R := if A i k < A j k then D else if k \in G then D - d else 0.

Lemma pair_inside j i : diam N (on_line (pair_tokens j i)) G <= d.
Proof.
rewrite -[X in _ <= X](subKr D); apply: diam_line_le => [|k hk].
  by rewrite ler_subl_addr ler_addl.
rewrite /pair_tokens hk; case: ifP => _; rewrite lexx ?andbT /= ler_subl_addr ler_addl //.
Qed.

Lemma pair_all j i : diam N (on_line (pair_tokens j i)) setT <= D.
Proof.
have D0 := le_trans d0 dD.
rewrite -[X in _ <= X]subr0; apply: diam_line_le => // k _; rewrite /pair_tokens.
case: ifP => _; first by rewrite D0 lexx.
case: ifP => _; last by rewrite lexx.
by rewrite subr_ge0 dD ler_subl_addr ler_addl.
Qed.

Lemma pair_gain j i :
  \sum_(k in ~: G) excess A j i k <= \sum_(k in ~: G) excess A i j k ->
  \sum_k A j k * pair_tokens j i k - \sum_k A i k * pair_tokens j i k
  = (variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D.
Proof.
move=> larger; have eo : outer_variation A G j i = \sum_(k in ~: G) excess A i j k.
  exact/max_idPr.
have -> : \sum_k A j k * pair_tokens j i k - \sum_k A i k * pair_tokens j i k
  = \sum_k (excess A j i k * D - (if k \in G then excess A i j k else 0) * (D - d)).
  rewrite -sumrB; apply: eq_bigr => k _; rewrite -mulrBl -(excess_diff A j i k) /pair_tokens /excess.
  case: (ltP (A i k) (A j k)) => h.
    rewrite [Num.max (A i k - A j k) 0](max_idPr _) ?subr_le0 ?ltW // subr0.
    by case: ifP => _; rewrite mul0r subr0.
  rewrite (max_idPr _) ?subr_le0 // sub0r mul0r sub0r.
  by case: ifP => _; rewrite ?mulr0 ?mul0r ?oppr0 // mulNr.
rewrite sumrB -!mulr_suml -big_mkcond /= (excess_sum HA).
have := excess_split HA G i j; rewrite -eo -(variation_sym HA j i).
move: (\sum_(k in G) _) (variation _ _ _) (outer_variation _ _ _ _) => q t o <-.
by by_ring R.
Qed.

End Pair.

(* ------------------------------- Given ranges and diameters: row t, and all other rows *)

Section Extremal.
Variables (G : {set T}) (el eu d D : R) (t s o : T).
Hypotheses (ht : t \in G) (hs : s \in G) (st : s != t) (ho : o \notin G).
Hypotheses (el0 : 0 <= el) (leu : el <= eu) (mel : outside G * el <= 1) (d0 : 0 <= d) (dD : d <= D).

Let m : R := outside G.
Let xu := x_upper m eu.
Let xl := x_lower m el.

Definition extremal_tokens k : R := if k \notin G then D else if k == t then d else 0.
Definition weight_out j : R := if j == t then xu / m else el.
Definition extremal_attention j k : R :=
  if k \notin G then weight_out j
  else if k == (if j == t then t else s) then 1 - m * weight_out j else 0.

Let m_gt0 : 0 < m.
Proof. by rewrite /m /outside ltr0n; apply/card_gt0P; exists o; rewrite inE. Qed.

Lemma mass_out j : m * weight_out j = if j == t then xu else xl.
Proof. by rewrite /weight_out; case: ifP => _ //; rewrite mulrC divfK // lt0r_neq0. Qed.

Lemma extremal_sum (W : lmodType R) (F : T -> W) j :
  \sum_k extremal_attention j k *: F k
  = weight_out j *: (\sum_(k in ~: G) F k) + (1 - m * weight_out j) *: F (if j == t then t else s).
Proof.
rewrite (bigID (mem (~: G))) /= scaler_sumr; congr (_ + _).
  by apply: eq_bigr => k; rewrite inE /extremal_attention => ->.
have hc : (if j == t then t else s) \in G by case: ifP.
rewrite (bigD1 (if j == t then t else s)) /=; last by rewrite inE negbK.
rewrite /extremal_attention hc eqxx big1 ?addr0 // => k /andP[].
by rewrite inE negbK => -> /negbTE->; rewrite scale0r.
Qed.

Lemma weight_out_ge0 j : 0 <= weight_out j.
Proof.
have m0 := ltW m_gt0; rewrite /weight_out; case: ifP => // _.
by rewrite divr_ge0 //; exact: (x_upper_ge0 m0 el0 leu).
Qed.

Lemma extremal_stochastic : stochastic extremal_attention.
Proof.
split=> [j k|j].
  rewrite /extremal_attention; case: ifP => _; first exact: weight_out_ge0.
  case: ifP => // _; rewrite subr_ge0 mass_out; case: ifP => // _; exact: x_upper_le1.
have := extremal_sum (fun _ => 1 : R^o) j.
rewrite (eq_bigr (extremal_attention j)) => [->|k _]; last exact: mulr1.
rewrite sumr_const -/m; rewrite /GRing.scale /= mulr1 -[1 *+ _]/(outside G) mulrC -/m.
by rewrite addrC subrK.
Qed.

Lemma extremal_range : in_range extremal_attention G el eu.
Proof.
split=> [|j k hj hk]; first by rewrite el0.
rewrite /extremal_attention hk /weight_out; case: ifP => _; last by rewrite lexx.
rewrite ler_pdivl_mulr // ler_pdivr_mulr // ![_ * m]mulrC x_upper_leX andbT.
exact: (x_lower_le_upper (ltW m_gt0) leu mel).
Qed.

Lemma extremal_step j : \sum_k extremal_attention j k * extremal_tokens k
  = if j == t then xu * D + (1 - xu) * d else xl * D.
Proof.
have := extremal_sum (extremal_tokens : T -> R^o) j; rewrite /GRing.scale /= => ->.
have -> : \sum_(k in ~: G) extremal_tokens k = m * D.
  rewrite (eq_bigr (fun=> D)); last by move=> k; rewrite inE /extremal_tokens => ->.
  by rewrite sumr_const mulr_natl.
rewrite mulrA [weight_out j * m]mulrC mass_out /extremal_tokens.
case: ifP => _; first by rewrite ht eqxx.
by rewrite hs /= (negbTE st) mulr0 addr0.
Qed.

Lemma extremal_inside : diam N (on_line extremal_tokens) G = d.
Proof.
rewrite -[RHS]subr0; apply: (@diam_line _ _ _ _ t s) => //.
- move=> k hk; rewrite /extremal_tokens hk /=; case: ifP => _; rewrite lexx ?andbT //.
- by rewrite /extremal_tokens ht eqxx.
- by rewrite /extremal_tokens hs (negbTE st).
Qed.

Lemma extremal_all : diam N (on_line extremal_tokens) setT = D.
Proof.
have D0 := le_trans d0 dD.
rewrite -[RHS]subr0; apply: (@diam_line _ _ _ _ o s) => //.
- move=> k _; rewrite /extremal_tokens; case: ifP => _; first by rewrite D0 lexx.
  by case: ifP => _; rewrite ?lexx // d0.
- by rewrite /extremal_tokens ho.
- by rewrite /extremal_tokens hs (negbTE st).
Qed.

(* The new tokens, mixed with the old: a = 0, b = 1 is the layer itself. *)
Lemma extremal_mix a b : 0 <= a -> 0 <= b ->
  diam N (fun j => a *: on_line extremal_tokens j + b *: attend extremal_attention (on_line extremal_tokens) j) G
  = a * d + b * sharp_value m el eu d D.
Proof.
move=> a0 b0; have D0 := le_trans d0 dD.
pose f j := a * extremal_tokens j + b * \sum_k extremal_attention j k * extremal_tokens k.
transitivity (diam N (on_line f) G).
  apply: eq_bigr => j _; apply: eq_bigr => k _; congr (N (_ - _)).
    by rewrite /attend sum_line /on_line !scalerA -scalerDl.
  by rewrite /attend sum_line /on_line !scalerA -scalerDl.
have m0 := ltW m_gt0; have hlu := x_lower_le_upper m0 leu mel.
have u1 : xu <= 1 := x_upper_le1 _ _.
have gap : b * (xl * D) <= a * d + b * (xu * D + (1 - xu) * d).
  apply: (@le_diff _ (a * d + b * ((xu - xl) * D + (1 - xu) * d))); [visible | by_ring R].
have ft : f t = a * d + b * (xu * D + (1 - xu) * d).
  by rewrite /f extremal_step eqxx /extremal_tokens ht eqxx.
have fs k : k \in G -> k != t -> f k = b * (xl * D).
  by move=> hk kt; rewrite /f extremal_step (negbTE kt) /extremal_tokens hk (negbTE kt) mulr0 add0r.
rewrite (@diam_line f G (b * (xl * D)) (a * d + b * (xu * D + (1 - xu) * d)) t s) //.
- by rewrite /sharp_value -/xu -/xl; by_ring R.
- move=> k hk; case: (eqVneq k t) => [->|kt]; first by rewrite ft gap lexx.
  by rewrite fs // lexx gap.
- exact: fs.
Qed.

End Extremal.
End Line.

Section Choice.
Variables (R : realFieldType) (T : finType) (G : {set T}).

Lemma two_and_one : (1 < #|G|)%N -> G != setT ->
  exists t s o, [/\ t \in G, s \in G, s != t & o \notin G].
Proof.
move=> /card_gt1P[t [s [ht hs ts]]] /eqP h.
have /set0Pn[o] : ~: G != set0.
  by apply/eqP => e; apply: h; rewrite -(setCK G) e setC0.
by rewrite inE => ho; exists t, s, o; split=> //; rewrite eq_sym.
Qed.

End Choice.

Lemma reached (R : realFieldType) (T : finType) (A : T -> T -> R) (G : {set T}) d D :
  0 < cluster_dobrushin_value A G d D -> exists j i, [/\ j \in G, i \in G
    & (variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D
      = cluster_dobrushin_value A G d D].
Proof.
move=> B0; case: (bigmax_reached B0) => j hj e.
have := B0; rewrite /cluster_dobrushin_value -e => /bigmax_reached[i hi e'].
by exists j, i; rewrite /= e' e.
Qed.

Theorem cluster_dobrushin_attained : statements.cluster_dobrushin_attained.
Proof.
move=> R V N u T A G d D HN Nu HA /andP[d0 dD]; set B := cluster_dobrushin_value _ _ _ _.
have upper z : diam N z G <= d -> diam N z setT <= D -> diam N (attend A z) G <= B.
  by move=> h1 h2; apply: le_trans (cluster_dobrushin z G HN HA) _; exact: cluster_dobrushin_mono.
have B_ge0 : 0 <= B by exact: bigmax_ge0.
case: (ltP 0 B) => [B0|B0]; last first.
  have Bz : B = 0 by apply/eqP; rewrite eq_le B0.
  have z0 H : diam N (fun _ : T => 0) H = 0.
    by apply/eqP; rewrite eq_le diam_ge0 andbT diam_le // => j k _ _; rewrite subrr N0.
  exists (fun=> 0); rewrite !z0; split=> //; first exact: le_trans dD.
  by apply/eqP; rewrite eq_le upper ?z0 // ?Bz ?diam_ge0 //; exact: le_trans dD.
case: (reached B0) => j [i [hj hi e]].
wlog larger : j i hj hi e / \sum_(k in ~: G) excess A j i k <= \sum_(k in ~: G) excess A i j k.
  move=> H; case/orP: (le_total (\sum_(k in ~: G) excess A j i k) (\sum_(k in ~: G) excess A i j k)).
    exact: (H j i).
  by apply: (H i j) => //; rewrite -e (variation_sym HA) (outer_variation_sym A).
exists (on_line u (pair_tokens A G d D j i)).
have h1 := pair_inside HN Nu A G D d0 j i; have h2 := pair_all HN Nu A G d0 dD j i.
split=> //; apply/eqP; rewrite eq_le upper //=.
apply: le_trans (dist_le_diam _ _ hj hi).
by rewrite /attend !sum_line N_line // pair_gain // e ger0_norm.
Qed.

Theorem dobrushin_attained : statements.dobrushin_attained.
Proof.
move=> R V N u T A D HN Nu HA D0.
have DD : D <= D by [].
have := @cluster_dobrushin_attained R V N u T A setT D D HN Nu HA; rewrite D0 DD => /(_ isT)[z [_ h e]].
by exists z; split=> //; rewrite e cluster_dobrushin_whole.
Qed.

Theorem dobrushin_best : statements.dobrushin_best.
Proof.
move=> R V N u T A c HN Nu HA c0 h.
case: (dobrushin_attained HN Nu HA ler01) => z [z1 e].
rewrite -[X in X <= _]mulr1 -e; apply: le_trans (h z) _.
by rewrite -[X in _ <= X]mulr1 ler_wpmul2l.
Qed.

Theorem dobrushin_product : statements.dobrushin_product.
Proof.
move=> R T A B HA HB; set AB := fun j k => _.
pose N (x : R^o) : R := `|x : R|.
have HN : seminorm N.
  by split=> [x y|a x]; [exact: ler_norm_add | exact: normrM].
have HAB : stochastic AB.
  split=> [j k|j]; first by apply: sumr_ge0 => l _; rewrite mulr_ge0 // ?(A_ge0 HA) ?(A_ge0 HB).
  rewrite exchange_big /= (eq_bigr (A j)) ?(A_sum HA) // => l _.
  by rewrite -mulr_sumr (A_sum HB) mulr1.
case: (@dobrushin_attained R _ N 1 T AB 1 HN (normr1 _) HAB ler01) => z [z1 e].
rewrite -[X in X <= _]mulr1 -e.
have -> : diam N (attend AB z) setT = diam N (attend A (attend B z)) setT.
  have c j : attend AB z j = attend A (attend B z) j.
    rewrite /attend [RHS](eq_bigr (fun l => \sum_k (A j l * B l k) *: z k)); last first.
      by move=> l _; rewrite scaler_sumr; apply: eq_bigr => k _; rewrite scalerA.
    by rewrite [RHS]exchange_big; apply: eq_bigr => k _; rewrite scaler_suml.
  by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !c.
apply: le_trans (dobrushin _ HN HA) _; apply: ler_wpmul2l; first exact: coefficient_ge0.
apply: le_trans (dobrushin _ HN HB) _.
by rewrite -[X in _ <= X]mulr1 ler_wpmul2l ?coefficient_ge0.
Qed.

Theorem sharp_attained : statements.sharp_attained.
Proof.
move=> R V N u T G el eu d D [[HN Nu] [G2 Gn] /andP[el0 leu] mel /andP[d0 dD]].
have [t [s [o [ht hs st ho]]]] := two_and_one G2 Gn.
exists (extremal_attention G el eu t s), (on_line u (extremal_tokens G d D t)).
have := extremal_mix HN Nu ht hs st ho leu mel d0 dD (lexx 0) ler01.
rewrite mul0r mul1r add0r => <-; split.
- by split; [exact: (extremal_stochastic ht hs ho) | exact: (extremal_range t s ho)].
- exact: (extremal_inside HN Nu D ht hs st d0).
- exact: (extremal_all HN Nu hs st ho d0 dD).
- by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !scale0r !scale1r !add0r.
Qed.

Lemma attend_scale (R : realFieldType) (V : lmodType R) (T : finType) (A : T -> T -> R) (w : R)
  (y : T -> V) j : attend A (fun k => w *: y k) j = w *: attend A y j.
Proof. by rewrite /attend scaler_sumr; apply: eq_bigr => k _; rewrite !scalerA mulrC. Qed.

Theorem value_matrix_attained : statements.value_matrix_attained.
Proof.
move=> R V N u T G w el eu d D w0 [[HN Nu] [G2 Gn] /andP[el0 leu] mel /andP[d0 dD]].
have [t [s [o [ht hs st ho]]]] := two_and_one G2 Gn.
exists (extremal_attention G el eu t s), (on_line u (extremal_tokens G d D t)).
have := extremal_mix HN Nu ht hs st ho leu mel d0 dD (lexx 0) w0.
rewrite mul0r add0r => <-; split.
- by split; [exact: (extremal_stochastic ht hs ho) | exact: (extremal_range t s ho)].
- exact: (extremal_inside HN Nu D ht hs st d0).
- exact: (extremal_all HN Nu hs st ho d0 dD).
by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !attend_scale !scale0r !add0r.
Qed.

Theorem residual_attained : statements.residual_attained.
Proof.
move=> R V N u T G w el eu d D w0 [[HN Nu] [G2 Gn] /andP[el0 leu] mel /andP[d0 dD]].
have [t [s [o [ht hs st ho]]]] := two_and_one G2 Gn.
exists (extremal_attention G el eu t s), (on_line u (extremal_tokens G d D t)).
have := extremal_mix HN Nu ht hs st ho leu mel d0 dD ler01 w0.
rewrite mul1r => <-; split.
- by split; [exact: (extremal_stochastic ht hs ho) | exact: (extremal_range t s ho)].
- exact: (extremal_inside HN Nu D ht hs st d0).
- exact: (extremal_all HN Nu hs st ho d0 dD).
by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !attend_scale !scale1r.
Qed.

Theorem convex_attained : statements.convex_attained.
Proof.
move=> R V N u T G a el eu d D /andP[a0 a1] [[HN Nu] [G2 Gn] /andP[el0 leu] mel /andP[d0 dD]].
have [t [s [o [ht hs st ho]]]] := two_and_one G2 Gn.
exists (extremal_attention G el eu t s), (on_line u (extremal_tokens G d D t)).
have b0 : 0 <= 1 - a by rewrite subr_ge0.
rewrite -convex_regroup -/(sharp_value (outside G) el eu d D).
have := extremal_mix HN Nu ht hs st ho leu mel d0 dD b0 a0 => <-; split=> //.
- by split; [exact: (extremal_stochastic ht hs ho) | exact: (extremal_range t s ho)].
- exact: (extremal_inside HN Nu D ht hs st d0).
- exact: (extremal_all HN Nu hs st ho d0 dD).
Qed.

Theorem certificate_complete : statements.certificate_complete.
Proof.
move=> R V N u T G el eu d D any; rewrite -sharp_lt; split=> [h|h A z HA Hr ed eD].
  have [A [z [[HA Hr] ed eD e]]] := sharp_attained any.
  by rewrite -e; exact: h.
case: any => [[HN _] [G2 _] _ _ _]; apply: le_lt_trans h; rewrite -ed -eD; apply: sharp => //.
by rewrite -card_gt0 (ltn_trans _ G2).
Qed.
