(* From the matrix to the ranges, the paper's two inequalities, and their life over layers. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Theorem cluster_dobrushin_whole : statements.cluster_dobrushin_whole.
Proof.
move=> R T A d D d0.
have o0 j i : outer_variation A setT j i = 0.
  by rewrite /outer_variation setCT !big_set0 maxxx.
rewrite /cluster_dobrushin_value /dobrushin_coefficient.
have scale (P : pred T) (F : T -> R) :
    \big[Num.max/0]_(i | P i) (F i * d) = (\big[Num.max/0]_(i | P i) F i) * d.
  by elim/big_rec2: _ => [|i x y _ ->]; rewrite ?mul0r // maxr_pmull.
rewrite -scale; apply: eq_big => [j|j _]; first by rewrite inE.
rewrite -scale; apply: eq_big => [i|i _]; first by rewrite inE.
by rewrite o0 subr0 mul0r addr0.
Qed.

Theorem dobrushin : statements.dobrushin.
Proof.
move=> R V N T A z HN HA.
rewrite -(cluster_dobrushin_whole A (diam N z setT)); last exact: diam_ge0.
exact: cluster_dobrushin.
Qed.

Theorem contraction : statements.contraction.
Proof.
move=> R V N T A z HN HA; apply: le_trans (dobrushin z HN HA) _.
by rewrite -{2}(mul1r (diam _ _ _)) ler_wpmul2r ?diam_ge0 // coefficient_le1.
Qed.

Theorem overlap : statements.overlap.
Proof.
move=> R V N T A z G HN HA; apply: le_trans (cluster_dobrushin z G HN HA) _.
by apply: cluster_dobrushin_le_overlap => //; exact: diam_ge0.
Qed.

Theorem ladder : statements.ladder.
Proof.
move=> R T A G el eu d D HA Gn Hr dD /=; case/andP: (dD) => d0 dD'.
have m0 : 0 <= outside G :> R by exact: ler0n.
have el0 := range_el0 Hr; have leu := range_leu Hr; have h1 := lower_le1 HA Hr Gn.
split.
- exact: cluster_dobrushin_le_overlap.
- exact: overlap_le_sharp.
- exact: sharp_le_product.
- exact: product_le_linear.
- by rewrite le_minr linear_le_appendix // linear_le_main.
Qed.

Section Ranges.
Variables (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType).
Variables (A : T -> T -> R) (z : T -> V) (G : {set T}) (el eu : R).
Hypotheses (HN : seminorm N) (HA : stochastic A) (Gn : G != set0) (Hr : in_range A G el eu).

Lemma spreads : 0 <= diam N z G <= diam N z setT.
Proof. by rewrite diam_ge0 diam_le_all. Qed.

Lemma sharp_here : diam N (attend A z) G <= sharp_value (outside G) el eu (diam N z G) (diam N z setT).
Proof.
apply: le_trans (overlap z G HN HA) _; exact: overlap_le_sharp spreads.
Qed.

Lemma linear_here : diam N (attend A z) G <= linear_value (outside G) el eu (diam N z G) (diam N z setT).
Proof.
have [_ _ h1 h2 _] := ladder HA Gn Hr spreads.
by apply: le_trans sharp_here _; exact: le_trans h2.
Qed.

Lemma all_ge0 : [/\ 0 <= outside G :> R, 0 <= el, el <= eu, 0 <= diam N z G & diam N z G <= diam N z setT].
Proof.
case/andP: spreads => d0 dD; split=> //; first exact: ler0n.
  exact: (range_el0 Hr).
exact: (range_leu Hr).
Qed.

End Ranges.

Theorem sharp : statements.sharp.
Proof. by move=> R V N T A z G el eu *; exact: sharp_here. Qed.

Theorem sharp_total : statements.sharp_total.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr; apply: le_trans (sharp_here z HN HA Gn Hr) _.
by case: (all_ge0 N z Hr) => *; exact: sharp_le_total.
Qed.

Theorem product : statements.product.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr; apply: le_trans (sharp_here z HN HA Gn Hr) _.
by have [] := ladder HA Gn Hr (spreads N z G).
Qed.

Theorem linear : statements.linear.
Proof. by move=> R V N T A z G el eu *; exact: linear_here. Qed.

Theorem paper_appendix : statements.paper_appendix.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr; apply: le_trans (linear_here z HN HA Gn Hr) _.
by case: (all_ge0 N z Hr) => *; exact: linear_le_appendix.
Qed.

Theorem paper_main : statements.paper_main.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr; apply: le_trans (linear_here z HN HA Gn Hr) _.
exact: linear_le_main.
Qed.

Theorem paper_appendix_strict : statements.paper_appendix_strict.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr Dp Xp.
apply: le_lt_trans (linear_here z HN HA Gn Hr) _; exact: linear_lt_appendix.
Qed.

Theorem paper_main_strict : statements.paper_main_strict.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr Dp Xp.
apply: le_lt_trans (linear_here z HN HA Gn Hr) _; exact: linear_lt_main.
Qed.

Theorem paper_strict_needs_spread : statements.paper_strict_needs_spread.
Proof.
move=> R V N HN.
exists (fun _ _ => 2%:R^-1), (fun _ => 0), [set true], 0, 1.
have half0 : 0 < 2%:R^-1 :> R by rewrite invr_gt0 ltr0n.
have half1 : 2%:R^-1 < 1 :> R by rewrite invf_lt1 ?ltr0n // ltr1n.
have z0 (w : bool -> V) G : (forall j, w j = 0) -> diam N w G = 0.
  move=> w0; apply/eqP; rewrite eq_le diam_ge0 andbT diam_le // => j k _ _.
  by rewrite !w0 subrr N0.
have a0 j : attend (fun _ _ : bool => 2%:R^-1 : R) (fun _ => 0 : V) j = 0.
  by rewrite /attend big1 // => k _; rewrite scaler0.
split.
- split=> [j k|j]; first exact: ltW.
  by rewrite sumr_const card_bool -[_ *+ 2]mulr_natl mulfV // pnatr_eq0.
- by move=> j k _; rewrite half0.
- by rewrite !z0 // /paper_main_value !mulr0 mul0r addr0 ltxx.
- by rewrite !z0 // /paper_appendix_value !mulr0 mul0r addr0 ltxx.
Qed.

Theorem paper_strict_needs_exchange : statements.paper_strict_needs_exchange.
Proof.
move=> R V N T z G A.
have same : diam N (attend A z) G = diam N z G.
  have e j : attend A z j = z j.
    rewrite /attend (bigD1 j) //= /A eqxx scale1r big1 ?addr0 // => k /negbTE kj.
    by rewrite eq_sym kj scale0r.
  by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !e.
split.
- split=> [j k|j]; first exact: ler0n.
  by rewrite (bigD1 j) //= /A eqxx big1 ?addr0 // => k /negbTE kj; rewrite eq_sym kj.
- split=> [|j k hj hk]; first by rewrite lexx.
  by rewrite /A; case: eqP hk => [<-|_ _]; rewrite ?hj ?lexx.
- by rewrite same /paper_main_value !mulr0 !mul0r subr0 expr1n mul1r addr0.
- by rewrite same /paper_appendix_value !mulr0 !mul0r subr0 expr1n mul1r addr0.
Qed.

Theorem product_never : statements.product_never.
Proof. by move=> R m eu d D X0 /andP[d0 dD]; exact: product_ge. Qed.

Theorem linear_never : statements.linear_never.
Proof. by move=> R m el eu d D m0 /andP[el0 leu] /andP[d0 dD]; exact: linear_ge. Qed.

Theorem paper_appendix_never : statements.paper_appendix_never.
Proof.
move=> R m el eu d D m0 /andP[el0 leu] /andP[d0 dD].
by apply: le_trans (linear_ge m0 el0 leu d0 dD) _; exact: linear_le_appendix.
Qed.

Theorem paper_main_never : statements.paper_main_never.
Proof.
move=> R m el eu d D m0 /andP[el0 leu] /andP[d0 dD].
by apply: le_trans (linear_ge m0 el0 leu d0 dD) _; exact: linear_le_main.
Qed.

Theorem certificate : statements.certificate.
Proof. by move=> R m el eu d D; exact: sharp_lt. Qed.

Theorem certificate_ratio : statements.certificate_ratio.
Proof.
move=> R m el eu d D m0 eu0 D0 h1; apply: iff_trans (sharp_lt m el eu d D) _.
rewrite /x_upper /x_lower (min_idPr h1) ltr_pdivl_mulr // -mulrBr -!mulrA ltr_pmul2l //.
by rewrite -(ltr_pmul2l eu0 ((1 - el / eu) * D)) mulrA [eu * (1 - _)]mulrBr mulr1 [eu * (el / eu)]mulrC divfK ?lt0r_neq0.
Qed.

Section Iteration.
Variable R : realFieldType.
Add Ring iteration_ring : (carrier_ring R).

(* One layer more, in numbers: p = (1 - x_u)^t, and q = 1 - x_l / x_u. *)
Lemma one_more (p q xl xu d0 D0 : R) : xu * (1 - q) = xl ->
  (1 - xu) * (p * d0 + (1 - p) * q * D0) + (xu - xl) * D0
  = (1 - xu) * p * d0 + (1 - (1 - xu) * p) * q * D0.
Proof. by move=> <-; by_ring R. Qed.

Lemma convex_regroup (a xu xl d D : R) :
  (1 - a) * d + a * ((1 - xu) * d + (xu - xl) * D) = (1 - a * xu) * d + a * (xu - xl) * D.
Proof. by by_ring R. Qed.

End Iteration.

Theorem iteration : statements.iteration.
Proof.
move=> R V N T A z G el eu HN HA Gn Hr hz xl xu xu0.
set d0 := diam N (z 0%N) G; set D0 := diam N (z 0%N) setT.
have m0 : 0 <= outside G :> R by exact: ler0n.
have el0 := range_el0 (Hr 0%N); have leu := range_leu (Hr 0%N).
have Dt t : diam N (z t) setT <= D0.
  by elim: t => // t IH; apply: le_trans IH; rewrite hz; exact: contraction.
elim=> [|t IH]; first by rewrite expr0 mul1r subrr !mul0r addr0.
rewrite hz; apply: le_trans (sharp_here (z t) HN (HA t) Gn (Hr t)) _.
have h1 := lower_le1 (HA t) (Hr t) Gn.
apply: le_trans (sharp_mono m0 leu h1 IH (Dt t)) _.
by rewrite /sharp_value -/xl -/xu one_more ?exprS // subKr mulrC divfK // lt0r_neq0.
Qed.

(* ------------------------------------------------ Value matrices, heads, residual streams *)

Section Values.
Variables (R : realFieldType) (V U : lmodType R) (N : V -> R) (M : U -> R) (T : finType).
Variables (A : T -> T -> R) (z : T -> V) (G : {set T}) (el eu : R).
Hypothesis HN : seminorm N.
Hypotheses (HA : stochastic A) (Gn : G != set0) (Hr : in_range A G el eu).

Lemma value_here (W : {linear V -> U}) w : 0 <= w -> (forall x, M (W x) <= w * N x) ->
  diam M (attend A (fun k => W (z k))) G
    <= w * sharp_value (outside G) el eu (diam N z G) (diam N z setT).
Proof.
move=> w0 hW.
have e j : attend A (fun k => W (z k)) j = W (attend A z j).
  by rewrite /attend linear_sum; apply: eq_bigr => k _; rewrite linearZ.
have s0 := sharp_here z HN HA Gn Hr.
apply: diam_le => [|j k hj hk].
  by rewrite mulr_ge0 //; apply: le_trans s0; exact: diam_ge0.
rewrite !e -linearB; apply: le_trans (hW _) _; apply: ler_wpmul2l => //.
by apply: le_trans s0; exact: dist_le_diam.
Qed.

End Values.

Theorem value_matrix : statements.value_matrix.
Proof. by move=> R V U N M W w T A z G el eu *; exact: value_here. Qed.

Theorem multi_head : statements.multi_head.
Proof.
move=> R V U N M H W w T A z G el eu HN HM w0 hW HA Gn Hr.
have hv h := value_here z HN (HA h) Gn (Hr h) (w0 h) (hW h).
apply: diam_le => [|j k hj hk].
  by apply: sumr_ge0 => h _; apply: le_trans (hv h); exact: diam_ge0.
rewrite -sumrB; apply: le_trans (N_sum HM _ _) _; apply: ler_sum => h _.
by apply: le_trans (hv h); exact: dist_le_diam.
Qed.

Theorem residual : statements.residual.
Proof.
move=> R V N W w T A z G el eu HN w0 hW HA Gn Hr.
have hv := value_here z HN HA Gn Hr w0 hW.
have d0 := diam_ge0 N z G.
apply: diam_le => [|j k hj hk].
  by rewrite addr_ge0 //; apply: le_trans hv; exact: diam_ge0.
rewrite opprD addrACA; apply: le_trans (N_add HN _ _) _; apply: ler_add; first exact: dist_le_diam.
by apply: le_trans hv; exact: dist_le_diam.
Qed.

Theorem convex : statements.convex.
Proof.
move=> R V N T A z G a el eu HN /andP[a0 a1] HA Gn Hr.
have hs := sharp_here z HN HA Gn Hr.
rewrite -convex_regroup -/(sharp_value (outside G) el eu (diam N z G) (diam N z setT)).
have b0 : 0 <= 1 - a by rewrite subr_ge0.
apply: diam_le => [|j k hj hk].
  rewrite addr_ge0 // mulr_ge0 ?diam_ge0 //; apply: le_trans hs; exact: diam_ge0.
rewrite opprD addrACA -!scalerBr; apply: le_trans (N_add HN _ _) _.
rewrite !N_pos //; apply: ler_add; apply: ler_wpmul2l => //; first exact: dist_le_diam.
by apply: le_trans hs; exact: dist_le_diam.
Qed.
