(* An evaluator over binary fractions, proved equal to the vocabulary in definitions.v, so that
   small instances generated from Python are checked by computation. *)
From Coq Require Import ZArith QArith Qreduction Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Import statements scalars transport upper fractions.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Number.
Variable R : realFieldType.
Local Notation of_Q := (of_Q R).

(* ------------------------------------------------------- Two norms on coordinate space *)

Section Norms.
Variable d : nat.

Definition sup_norm (v : 'rV[R]_d) : R := \big[Num.max/0]_(c < d) `|v ord0 c|.
Definition sum_norm (v : 'rV[R]_d) : R := \sum_(c < d) `|v ord0 c|.

Lemma sum_norm_seminorm : seminorm sum_norm.
Proof.
split=> [x y|a x]; rewrite /sum_norm.
  by rewrite -big_split; apply: ler_sum => c _; rewrite mxE; exact: ler_norm_add.
by rewrite mulr_sumr; apply: eq_bigr => c _; rewrite mxE normrM.
Qed.

Lemma sup_norm_seminorm : seminorm sup_norm.
Proof.
split=> [x y|a x]; rewrite /sup_norm.
  apply: bigmax_le => [|c _]; first by rewrite addr_ge0 // bigmax_ge0.
  rewrite mxE; apply: le_trans (ler_norm_add _ _) _.
  by apply: ler_add; [exact: (le_bigmax (fun c => `|x ord0 c|)) | exact: (le_bigmax (fun c => `|y ord0 c|))].
rewrite (eq_bigr (fun c => `|a| * `|x ord0 c|)); last by move=> c _; rewrite mxE normrM.
by elim/big_rec2: _ => [|c p q _ ->]; rewrite ?mulr0 // maxr_pmulr.
Qed.

End Norms.

(* ------------------------------------------------------- An instance, and its evaluation *)

Section Instance.
Variables (n d : nat) (rows tokens : seq (seq Q)) (members : seq bool) (sup : bool).

Definition weight j k : Q := nth (frac 0 1) (nth [::] rows j) k.
Definition coordinate j c : Q := nth (frac 0 1) (nth [::] tokens j) c.
Definition member j : bool := nth false members j.

Definition A (j k : 'I_n) : R := of_Q (weight j k).
Definition place (f : nat -> nat -> Q) (j : 'I_n) : 'rV[R]_d := \row_c of_Q (f j c).
Definition G : {set 'I_n} := [set j : 'I_n | member j].
Definition norm : 'rV[R]_d -> R := if sup then @sup_norm d else @sum_norm d.

Definition next j c : Q := total n all_tokens (fun k => mul (weight j k) (coordinate k c)).

Lemma attend_place (j : 'I_n) : attend A (place coordinate) j = place next j.
Proof.
apply/rowP => c; rewrite /attend summxE mxE -of_total_all; apply: eq_bigr => k _.
by rewrite !mxE of_mul.
Qed.

Definition distance (f : nat -> nat -> Q) j k : Q :=
  (if sup then greatest else total) d all_tokens (fun c => absq (sub (f j c) (f k c))).

Lemma norm_place f (j k : 'I_n) : norm (place f j - place f k) = of_Q (distance f j k).
Proof.
rewrite /norm /distance; case: sup.
  rewrite /sup_norm -of_greatest_all; apply: eq_bigr => c _.
  by rewrite !mxE of_abs of_sub.
rewrite /sum_norm -of_total_all; apply: eq_bigr => c _.
by rewrite !mxE of_abs of_sub.
Qed.

Definition diameter (P : nat -> bool) (f : nat -> nat -> Q) : Q :=
  greatest n P (fun j => greatest n P (fun k => distance f j k)).

Lemma diam_place f : diam norm (place f) G = of_Q (diameter member f).
Proof.
rewrite -of_greatest; apply: eq_big => [j|j _]; first by rewrite inE.
rewrite -of_greatest; apply: eq_big => [k|k _]; first by rewrite inE.
exact: norm_place.
Qed.

Lemma diam_place_all f : diam norm (place f) setT = of_Q (diameter all_tokens f).
Proof.
rewrite -of_greatest; apply: eq_big => [j|j _]; first by rewrite inE.
rewrite -of_greatest; apply: eq_big => [k|k _]; first by rewrite inE.
exact: norm_place.
Qed.

Lemma diam_next S : diam norm (attend A (place coordinate)) S = diam norm (place next) S.
Proof. by apply: eq_bigr => j _; apply: eq_bigr => k _; rewrite !attend_place. Qed.

Definition outsider j : bool := ~~ member j.

Lemma in_outside (j : 'I_n) : (j \in ~: G) = outsider j. Proof. by rewrite !inE. Qed.

Definition outsiders : Q := total n outsider (fun=> frac 1 1).

Lemma outside_count : outside G = of_Q outsiders.
Proof.
rewrite -of_total /outside -sumr_const; apply: eq_big => [j|j _]; first exact: in_outside.
by rewrite of_1.
Qed.

(* The least and the greatest weight from G to outside. *)
Definition lowest : Q := least n member (fun j => least n outsider (weight j)).
Definition highest : Q := greatest n member (fun j => greatest n outsider (weight j)).

Lemma lowest_weight : \big[Num.min/1]_(j in G) \big[Num.min/1]_(k in ~: G) A j k = of_Q lowest.
Proof.
rewrite -of_least; apply: eq_big => [j|j _]; first by rewrite inE.
by rewrite -of_least; apply: eq_bigl => k; exact: in_outside.
Qed.

Lemma highest_weight : \big[Num.max/0]_(j in G) \big[Num.max/0]_(k in ~: G) A j k = of_Q highest.
Proof.
rewrite -of_greatest; apply: eq_big => [j|j _]; first by rewrite inE.
by rewrite -of_greatest; apply: eq_bigl => k; exact: in_outside.
Qed.

Definition above j i k : Q := maxq (sub (weight j k) (weight i k)) (frac 0 1).

Lemma excess_above (j i k : 'I_n) : excess A j i k = of_Q (above j i k).
Proof. by rewrite /excess /above of_max of_sub of_0. Qed.

Definition half : Q := frac 1 2.

Lemma of_half : of_Q half = 2%:R^-1.
Proof.
apply: (mulfI (_ : 2%:R != 0 :> R)); first by rewrite pnatr_eq0.
by rewrite mulfV ?pnatr_eq0 // -of_2 -of_mul -of_1; apply: of_Q_eq.
Qed.

Definition tv j i : Q := mul half (total n all_tokens (fun k => absq (sub (weight j k) (weight i k)))).

Lemma variation_tv (j i : 'I_n) : variation A j i = of_Q (tv j i).
Proof.
rewrite /variation /tv of_mul of_half -of_total_all; congr (_ * _).
by apply: eq_bigr => k _; rewrite of_abs of_sub.
Qed.

Lemma coefficient_tv : dobrushin_coefficient A
  = of_Q (greatest n all_tokens (fun j => greatest n all_tokens (tv j))).
Proof.
rewrite -of_greatest_all; apply: eq_bigr => j _; rewrite -of_greatest_all.
by apply: eq_bigr => i _; exact: variation_tv.
Qed.

Definition outer_tv j i : Q := maxq (total n outsider (above j i)) (total n outsider (above i j)).

Lemma outer_variation_tv (j i : 'I_n) : outer_variation A G j i = of_Q (outer_tv j i).
Proof.
rewrite /outer_variation /outer_tv of_max -!of_total; congr Num.max.
  by apply: eq_big => [k|k _]; [exact: in_outside | exact: excess_above].
by apply: eq_big => [k|k _]; [exact: in_outside | exact: excess_above].
Qed.

Definition cluster_dobrushin_q (x y : Q) : Q := greatest n member (fun j => greatest n member (fun i =>
  add (mul (sub (tv j i) (outer_tv j i)) x) (mul (outer_tv j i) y))).

Lemma pair_eq (s t x y : Q) :
  of_Q (add (mul s x) (mul t y)) = of_Q s * of_Q x + of_Q t * of_Q y.
Proof. by rewrite of_add !of_mul. Qed.

Lemma cluster_dobrushin_eq x y : cluster_dobrushin_value A G (of_Q x) (of_Q y) = of_Q (cluster_dobrushin_q x y).
Proof.
rewrite -of_greatest; apply: eq_big => [j|j _]; first by rewrite inE.
rewrite -of_greatest; apply: eq_big => [i|i _]; first by rewrite inE.
by rewrite variation_tv outer_variation_tv pair_eq of_sub.
Qed.

Definition mass_out j : Q := total n outsider (weight j).
Definition larger j i : Q := maxq (mass_out j) (mass_out i).
Definition common j i : Q := total n outsider (fun k => minq (weight j k) (weight i k)).
Definition overlap_q (x y : Q) : Q := greatest n member (fun j => greatest n member (fun i =>
  add (mul (sub (frac 1 1) (larger j i)) x) (mul (sub (larger j i) (common j i)) y))).

Lemma mass_out_eq (j : 'I_n) : mass A j (~: G) = of_Q (mass_out j).
Proof. by rewrite /mass -of_total; apply: eq_bigl => k; exact: in_outside. Qed.

Lemma overlap_eq x y : overlap_value A G (of_Q x) (of_Q y) = of_Q (overlap_q x y).
Proof.
rewrite -of_greatest; apply: eq_big => [j|j _]; first by rewrite inE.
rewrite -of_greatest; apply: eq_big => [i|i _]; first by rewrite inE.
rewrite pair_eq !of_sub of_1 of_max /larger_outside !mass_out_eq.
rewrite (_ : common_outside A G j i = of_Q (common j i)) //.
by rewrite -of_total; apply: eq_big => [k|k _]; [exact: in_outside | rewrite of_min].
Qed.

Definition stochastic_q : bool :=
  all (fun j => all (fun k => Qle_bool (frac 0 1) (weight j k)) (iota 0 n)
                && Qeq_bool (total n all_tokens (weight j)) (frac 1 1)) (iota 0 n).

Lemma stochastic_eq : stochastic_q -> stochastic A.
Proof.
move=> /allP h.
have i_in (j : 'I_n) : val j \in iota 0 n by rewrite mem_iota ltn_ord.
split=> [j k|j].
  by case/andP: (h _ (i_in j)) => /allP/(_ _ (i_in k)); rewrite -(of_Q_le R) of_0.
by case/andP: (h _ (i_in j)) => _ /Qeq_bool_iff e; rewrite /A of_total_all (of_Q_eq R e) of_1.
Qed.

(* ------------------------------------------------------------ The ranges' bounds in numbers *)

Section Bounds.
Variables (m el eu x y : Q).
Let one := frac 1 1.
Let two := frac 2 1.

Definition upper_q : Q := minq one (mul m eu).
Definition lower_q : Q := mul m el.
Definition sharp_q : Q := add (mul (sub one upper_q) x) (mul (sub upper_q lower_q) y).
Definition product_q : Q :=
  let s := mul (sub one upper_q) (sub one upper_q) in add (mul s x) (mul (sub one s) y).
Definition inner_q : Q := mul (mul (sub one lower_q) (sub one lower_q)) x.
Definition linear_q : Q := add inner_q (mul (mul two (mul m eu)) y).
Definition appendix_q : Q := add inner_q (mul (mul (mul m eu) y) (add (mul m eu) two)).
Definition main_q : Q := add inner_q (mul (mul (mul m eu) y) (add (mul (mul m eu) y) two)).

Definition numbers := (of_add, of_mul, of_sub, of_min, of_1, of_2).

Lemma sharp_eq : sharp_value (of_Q m) (of_Q el) (of_Q eu) (of_Q x) (of_Q y) = of_Q sharp_q.
Proof. by rewrite /sharp_q /upper_q /lower_q !numbers. Qed.
Lemma product_eq : product_value (of_Q m) (of_Q eu) (of_Q x) (of_Q y) = of_Q product_q.
Proof. by rewrite /product_q /upper_q !numbers /product_value expr2. Qed.
Lemma linear_eq : linear_value (of_Q m) (of_Q el) (of_Q eu) (of_Q x) (of_Q y) = of_Q linear_q.
Proof. by rewrite /linear_q /inner_q /lower_q !numbers /linear_value expr2. Qed.
Lemma appendix_eq : paper_appendix_value (of_Q m) (of_Q el) (of_Q eu) (of_Q x) (of_Q y) = of_Q appendix_q.
Proof. by rewrite /appendix_q /inner_q /lower_q !numbers /paper_appendix_value expr2. Qed.
Lemma main_eq : paper_main_value (of_Q m) (of_Q el) (of_Q eu) (of_Q x) (of_Q y) = of_Q main_q.
Proof. by rewrite /main_q /inner_q /lower_q !numbers /paper_main_value expr2. Qed.

End Bounds.
End Instance.
End Number.

(* ------------------------------------------------------------------- What an instance says *)

Record values := Values {
  cluster_diameter : Q; all_diameter : Q; next_cluster_diameter : Q; next_all_diameter : Q;
  outside_tokens : Q; eps_lower : Q; eps_upper : Q; coefficient : Q;
  cluster_dobrushin_is : Q; overlap_is : Q; sharp_is : Q; product_is : Q; linear_is : Q;
  paper_appendix_is : Q; paper_main_is : Q }.

Section Agreement.
Let R := rat_realFieldType.
Variables (n dim : nat) (rows tokens : seq (seq Q)) (members : seq bool) (sup : bool).

Let q (x : Q) : R := of_Q R x.
Let a : 'I_n -> 'I_n -> R := @A R n rows.
Let z : 'I_n -> 'rV[R]_dim := @place R n dim (coordinate tokens).
Let g : {set 'I_n} := @G n members.
Let N : 'rV[R]_dim -> R := @norm R dim sup.

(* Over the rationals: what the vocabulary of definitions.v gives for this matrix, these tokens and
   this cluster, number by number. *)
Definition agrees (v : values) : Prop :=
  let d := q (cluster_diameter v) in let D := q (all_diameter v) in
  let m := q (outside_tokens v) in let el := q (eps_lower v) in let eu := q (eps_upper v) in
  [/\ seminorm N /\ stochastic a,
      [/\ diam N z g = d, diam N z setT = D,
          diam N (attend a z) g = q (next_cluster_diameter v)
        & diam N (attend a z) setT = q (next_all_diameter v)],
      [/\ outside g = m,
          \big[Num.min/1]_(j in g) \big[Num.min/1]_(k in ~: g) a j k = el
        & \big[Num.max/0]_(j in g) \big[Num.max/0]_(k in ~: g) a j k = eu],
      [/\ dobrushin_coefficient a = q (coefficient v),
          cluster_dobrushin_value a g d D = q (cluster_dobrushin_is v)
        & overlap_value a g d D = q (overlap_is v)]
    & [/\ sharp_value m el eu d D = q (sharp_is v), product_value m eu d D = q (product_is v),
          linear_value m el eu d D = q (linear_is v),
          paper_appendix_value m el eu d D = q (paper_appendix_is v)
        & paper_main_value m el eu d D = q (paper_main_is v)]].

Definition evaluated : values :=
  let d := diameter n dim sup (member members) (coordinate tokens) in
  let D := diameter n dim sup all_tokens (coordinate tokens) in
  let new := next n rows tokens in
  let m := outsiders n members in
  let el := lowest n rows members in let eu := highest n rows members in
  {| cluster_diameter := d; all_diameter := D;
     next_cluster_diameter := diameter n dim sup (member members) new;
     next_all_diameter := diameter n dim sup all_tokens new;
     outside_tokens := m; eps_lower := el; eps_upper := eu;
     coefficient := greatest n all_tokens (fun j => greatest n all_tokens (tv n rows j));
     cluster_dobrushin_is := cluster_dobrushin_q n rows members d D;
     overlap_is := overlap_q n rows members d D;
     sharp_is := sharp_q m el eu d D; product_is := product_q m eu d D;
     linear_is := linear_q m el eu d D; paper_appendix_is := appendix_q m el eu d D;
     paper_main_is := main_q m el eu d D |}.

Lemma by_evaluation v : stochastic_q n rows -> evaluated = v -> agrees v.
Proof.
move=> HA <-; rewrite /agrees /= /q; split.
- by split; [rewrite /N /norm; case: sup; [exact: sup_norm_seminorm | exact: sum_norm_seminorm]
            | exact: stochastic_eq].
- split; rewrite ?diam_next; [exact: diam_place | exact: diam_place_all | exact: diam_place | exact: diam_place_all].
- by split; [exact: outside_count | exact: lowest_weight | exact: highest_weight].
- by split; [exact: coefficient_tv | exact: cluster_dobrushin_eq | exact: overlap_eq].
- by split; [exact: sharp_eq | exact: product_eq | exact: linear_eq | exact: appendix_eq | exact: main_eq].
Qed.

End Agreement.
