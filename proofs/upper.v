(* The upper bounds: from the plan inside and across cells down to the paper's two inequalities. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* ------------------------------------------------------------------------ Two rows *)

Section Rows.
Variables (R : realFieldType) (T : finType) (A : T -> T -> R).
Hypothesis HA : stochastic A.
Add Ring rows_ring : (carrier_ring R).

Lemma A_ge0 j k : 0 <= A j k. Proof. by case: HA. Qed.
Lemma A_sum j : \sum_k A j k = 1. Proof. by case: HA. Qed.

Lemma excess_ge0 j i k : 0 <= excess A j i k. Proof. exact: pos_ge0. Qed.

Lemma excess_diff j i k : excess A j i k - excess A i j k = A j k - A i k.
Proof. exact: pos_diff. Qed.

Lemma excess_sum_sym j i : \sum_k excess A j i k = \sum_k excess A i j k.
Proof.
apply/eqP; rewrite -subr_eq0 -sumrB (eq_bigr (fun k => A j k - A i k)); last first.
  by move=> k _; exact: excess_diff.
by rewrite sumrB !A_sum subrr.
Qed.

Lemma half_double (x : R) : 2%:R^-1 * (x + x) = x.
Proof. by rewrite -mulr2n -[x *+ 2]mulr_natl mulKf // pnatr_eq0. Qed.

Lemma excess_sum j i : \sum_k excess A j i k = variation A j i.
Proof.
rewrite /variation [X in _ * X](eq_bigr (fun k => excess A j i k + excess A i j k)); last first.
  by move=> k _; exact: pos_norm.
by rewrite big_split /= -(excess_sum_sym j i) half_double.
Qed.

Lemma variation_ge0 j i : 0 <= variation A j i.
Proof. by rewrite -excess_sum sumr_ge0 // => k _; exact: excess_ge0. Qed.

Lemma variation_sym j i : variation A j i = variation A i j.
Proof. by rewrite -!excess_sum excess_sum_sym. Qed.

Lemma variation_min j i : variation A j i = 1 - \sum_k Num.min (A j k) (A i k).
Proof. by rewrite -excess_sum -(A_sum j) -sumrB; apply: eq_bigr => k _; exact: pos_min. Qed.

Lemma min_ge0 j i k : 0 <= Num.min (A j k) (A i k). Proof. by rewrite le_minr !A_ge0. Qed.

Lemma variation_le1 j i : variation A j i <= 1.
Proof.
by rewrite variation_min ler_subl_addr ler_addl sumr_ge0 // => k _; exact: min_ge0.
Qed.

Lemma variation_le_coefficient j i : variation A j i <= dobrushin_coefficient A.
Proof.
apply: le_trans (le_bigmax (fun j => \big[Num.max/0]_i variation A j i) (isT : predT j)).
exact: (le_bigmax (variation A j)).
Qed.

Lemma coefficient_ge0 : 0 <= dobrushin_coefficient A. Proof. exact: bigmax_ge0. Qed.

Lemma coefficient_le1 : dobrushin_coefficient A <= 1.
Proof.
by apply: bigmax_le => // j _; apply: bigmax_le => // i _; exact: variation_le1.
Qed.

Lemma attend_diff (V : lmodType R) (z : T -> V) j i :
  attend A z j - attend A z i = \sum_k excess A j i k *: z k - \sum_k excess A i j k *: z k.
Proof.
rewrite /attend -!sumrB; apply: eq_bigr => k _.
by rewrite -!scalerBl excess_diff.
Qed.

Lemma regroup (t o x d D : R) : (t - o) * d + x * D + (t - (t - o + x)) * D = (t - o) * d + o * D.
Proof. by by_ring R. Qed.

(* ---------------------------------------------- The inside and the outside of a cluster *)

Variable G : {set T}.

Lemma outer_excess j i :
  \sum_(k in ~: G) excess A j i k = mass A j (~: G) - common_outside A G j i.
Proof. by rewrite /mass -sumrB; apply: eq_bigr => k _; exact: pos_min. Qed.

Lemma common_outside_sym j i : common_outside A G i j = common_outside A G j i.
Proof. by apply: eq_bigr => k _; rewrite minC. Qed.

Lemma outer_variationE j i :
  outer_variation A G j i = larger_outside A G j i - common_outside A G j i.
Proof.
rewrite /outer_variation !outer_excess common_outside_sym /larger_outside.
by rewrite -addr_maxl.
Qed.

Lemma outer_ge0 j i : 0 <= outer_variation A G j i.
Proof. by rewrite le_maxr sumr_ge0 // => k _; exact: excess_ge0. Qed.

Lemma excess_split j i :
  \sum_(k in G) excess A j i k + \sum_(k in ~: G) excess A j i k = variation A j i.
Proof.
rewrite -excess_sum [RHS](bigID (mem G)) /=; congr (_ + _).
by apply: eq_bigl => k; rewrite inE.
Qed.

Lemma outer_le_variation j i : outer_variation A G j i <= variation A j i.
Proof.
rewrite le_maxl -{1}(excess_split j i) (variation_sym j i) -(excess_split i j).
by rewrite !ler_addr !sumr_ge0 // => k _; exact: excess_ge0.
Qed.

Lemma outer_variation_sym j i : outer_variation A G j i = outer_variation A G i j.
Proof. by rewrite /outer_variation maxC. Qed.

Lemma inner_min j i :
  Num.min (\sum_(k in G) excess A j i k) (\sum_(k in G) excess A i j k)
  = variation A j i - outer_variation A G j i.
Proof.
rewrite /outer_variation oppr_max addr_minr {1}(variation_sym j i).
by rewrite -[in LHS](addrK (\sum_(k in ~: G) excess A j i k) (\sum_(k in G) excess A j i k))
  -[in LHS](addrK (\sum_(k in ~: G) excess A i j k) (\sum_(k in G) excess A i j k))
  !excess_split (variation_sym i j).
Qed.

Lemma larger_outside_le1 j i : larger_outside A G j i <= 1.
Proof.
have h k : mass A k (~: G) <= 1.
  rewrite -(A_sum k) /mass [X in _ <= X](bigID (mem (~: G))) /= ler_addl sumr_ge0 // => l _.
  exact: A_ge0.
by rewrite le_maxl !h.
Qed.

(* The overlap form is cluster_dobrushin with the common inside mass thrown away. *)
Lemma variation_le_overlap j i :
  variation A j i - outer_variation A G j i <= 1 - larger_outside A G j i.
Proof.
rewrite outer_variationE variation_min (bigID (mem (~: G))) /=.
set c := common_outside _ _ _ _; set s := larger_outside _ _ _ _; rewrite -/(common_outside A G j i) -/c.
set rest := \sum_(k | k \notin ~: G) _.
apply: (@le_diff _ rest); last by by_ring R.
by rewrite sumr_ge0 // => k _; exact: min_ge0.
Qed.

Lemma cluster_dobrushin_le_overlap d D :
  0 <= d -> cluster_dobrushin_value A G d D <= overlap_value A G d D.
Proof.
move=> d0; apply: bigmax_le => [|j hj]; first exact: bigmax_ge0.
apply: bigmax_le => [|i hi]; first exact: bigmax_ge0.
apply: le_trans (le_bigmax (fun j => \big[Num.max/0]_(i in G) _) hj).
apply: le_trans (le_bigmax (fun i => _) hi).
by rewrite -outer_variationE ler_add2r ler_wpmul2r // variation_le_overlap.
Qed.

Lemma pair_value_ge0 d D j i : 0 <= d -> 0 <= D ->
  0 <= (variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D.
Proof.
move=> d0 D0; rewrite addr_ge0 // mulr_ge0 // ?outer_ge0 // subr_ge0.
exact: outer_le_variation.
Qed.

Lemma pair_value_le d D j i : j \in G -> i \in G ->
  (variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D
    <= cluster_dobrushin_value A G d D.
Proof.
move=> hj hi.
apply: le_trans (le_bigmax (fun j => \big[Num.max/0]_(i in G) _) hj).
exact: (le_bigmax (fun i => _ * d + _ * D) hi).
Qed.

Lemma cluster_dobrushin_mono d D d' D' : d <= d' -> D <= D' ->
  cluster_dobrushin_value A G d D <= cluster_dobrushin_value A G d' D'.
Proof.
move=> hd hD; apply: bigmax_le => [|j hj]; first exact: bigmax_ge0.
apply: bigmax_le => [|i hi]; first exact: bigmax_ge0.
apply: le_trans (pair_value_le _ _ hj hi).
by rewrite ler_add // ler_wpmul2l // ?outer_ge0 // subr_ge0 outer_le_variation.
Qed.

(* ------------------------------------------------------------------ Ranges of weights *)

Section InRange.
Variables (el eu : R).
Hypothesis Hr : in_range A G el eu.

Lemma mass_range j : j \in G -> outside G * el <= mass A j (~: G) <= outside G * eu.
Proof.
move=> hj; case: Hr => _ h; rewrite /outside /mass !mulr_natl -!sumr_const.
by apply/andP; split; apply: ler_sum => k; rewrite inE => /(h j k hj) /andP[].
Qed.

Lemma mass_le_upper j : j \in G -> mass A j (~: G) <= x_upper (outside G) eu.
Proof.
move=> hj; rewrite /x_upper le_minr; case/andP: (mass_range hj) => _ ->; rewrite andbT.
by apply: le_trans (larger_outside_le1 j j); rewrite /larger_outside le_maxr lexx.
Qed.

Lemma lower_le1 : G != set0 -> outside G * el <= 1.
Proof.
case/set0Pn => j hj; case/andP: (mass_range hj) => h _; apply: le_trans h _.
by apply: le_trans (larger_outside_le1 j j); rewrite /larger_outside le_maxr lexx.
Qed.

Lemma common_ge_lower j i : j \in G -> i \in G -> x_lower (outside G) el <= common_outside A G j i.
Proof.
move=> hj hi; case: Hr => _ h; rewrite /x_lower /outside mulr_natl -sumr_const.
by apply: ler_sum => k; rewrite inE le_minr => hk; case/andP: (h j k hj hk) => ->; case/andP: (h i k hi hk).
Qed.

Lemma range_el0 : 0 <= el. Proof. by case: Hr => /andP[]. Qed.
Lemma range_leu : el <= eu. Proof. by case: Hr => /andP[]. Qed.

Lemma overlap_le_sharp d D : G != set0 -> 0 <= d <= D ->
  overlap_value A G d D <= sharp_value (outside G) el eu d D.
Proof.
move=> Gn /andP[d0 dD]; have m0 : 0 <= outside G :> R by exact: ler0n.
have el0 := range_el0; have leu := range_leu; have h1 := lower_le1 Gn.
apply: bigmax_le => [|j hj]; first exact: sharp_ge0.
apply: bigmax_le => [|i hi]; first exact: sharp_ge0.
have hs : larger_outside A G j i <= x_upper (outside G) eu by rewrite le_maxl !mass_le_upper.
have hc := common_ge_lower hj hi; rewrite /sharp_value.
move: (larger_outside _ _ _ _) (common_outside _ _ _ _) (x_upper _ _) (x_lower _ _) hs hc => s c u l hs hc.
by apply: (@le_diff _ ((u - s) * (D - d) + (c - l) * D)); [visible; exact: le_trans dD | by_ring R].
Qed.

End InRange.
End Rows.

(* ------------------------------------------------------------------------- Theorems *)

Theorem block_recursion_linear : statements.block_recursion_linear.
Proof.
move=> R V N T K A z c j i HN HA /=; rewrite attend_diff.
set P := cells c (excess A j i); set Q := cells c (excess A i j).
have -> : 2%:R^-1 * (\sum_r `|P r - Q r|) = variation A j i - \sum_r Num.min (P r) (Q r).
  rewrite (eq_bigr (fun r => (P r - Num.min (P r) (Q r)) + (Q r - Num.min (P r) (Q r)))); last first.
    by move=> r _; rewrite pos_norm !pos_min [Num.min (Q r) _]minC.
  rewrite big_split /= !sumrB !sum_cells -(excess_sum_sym HA j i) (excess_sum HA).
  exact: half_double.
rewrite -(excess_sum HA); apply: (split_bound (c := c)) => //.
- by move=> k; exact: excess_ge0.
- by move=> k; exact: excess_ge0.
- exact: excess_sum_sym.
- by move=> k l; apply: dist_le_diam; rewrite ?inE.
- by move=> k l h; apply: dist_le_diam => //; rewrite inE ?h.
Qed.

Theorem cluster_dobrushin : statements.cluster_dobrushin.
Proof.
move=> R V N T A z G HN HA; apply: diam_le => [|j i hj hi]; first exact: bigmax_ge0.
apply: le_trans (pair_value_le A _ _ hj hi); rewrite attend_diff.
set d := diam N z G; set D := diam N z setT.
pose c k := k \in G.
have cellsE p b : cells c p b = \sum_(k | (k \in G) == b) p k by [].
pose P := excess A j i; pose Q := excess A i j.
apply: le_trans (@split_bound R T _ c V N z P Q D (fun b => if b then d else D) HN _ _ _ _ _) _.
- by move=> k; exact: excess_ge0.
- by move=> k; exact: excess_ge0.
- exact: excess_sum_sym.
- by move=> k l; apply: dist_le_diam; rewrite ?inE.
- move=> k l; rewrite /c; case hk: (k \in G) => hl; first exact: dist_le_diam.
  by apply: dist_le_diam; rewrite ?inE.
rewrite !big_bool /= (excess_sum HA).
have -> : Num.min (cells c P true) (cells c Q true) = variation A j i - outer_variation A G j i.
  by rewrite -(inner_min HA) !cellsE; congr (Num.min _ _); apply: eq_bigl => k; rewrite eqb_id.
set t := variation _ _ _; set o := outer_variation _ _ _ _; set x := Num.min _ _.
by rewrite regroup.
Qed.
