(* Numbers: the ring tactic, maxima over finite sets, positive parts, and the ladder's algebra. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* The standard library's ring needs a carrier that is one constant, so the operations of a real
   field are named here once and goals are rewritten with these names before [ring] sees them. *)
Section Carrier.
Variable R : realFieldType.
Definition carrier : Type := R.
Definition c0 : carrier := (0 : R).
Definition c1 : carrier := (1 : R).
Definition cadd (x y : carrier) : carrier := (x : R) + y.
Definition cmul (x y : carrier) : carrier := (x : R) * y.
Definition copp (x : carrier) : carrier := - (x : R).
Definition csub (x y : carrier) : carrier := (x : R) - y.

Lemma carrier_ring : ring_theory c0 c1 cadd cmul csub copp (@eq carrier).
Proof.
split; rewrite /c0 /c1 /cadd /cmul /csub /copp => *.
- exact: add0r. - exact: addrC. - exact: addrA. - exact: mul1r. - exact: mulrC.
- exact: mulrA. - exact: mulrDl. - by []. - exact: subrr.
Qed.
End Carrier.

(* To be used in a section with [Add Ring name : (carrier_ring R)] for its own field R. *)
Ltac by_ring R :=
  rewrite ?exprS ?expr0 ?mulr2n;
  repeat match goal with
  | |- context [@GRing.add ?A ?x ?y] => change (@GRing.add A x y) with (@cadd R x y)
  | |- context [@GRing.mul ?A ?x ?y] => change (@GRing.mul A x y) with (@cmul R x y)
  | |- context [@GRing.opp ?A ?x] => change (@GRing.opp A x) with (@copp R x)
  | |- context [@GRing.one ?A] => change (@GRing.one A) with (@c1 R)
  | |- context [@GRing.zero ?A] => change (@GRing.zero A) with (@c0 R)
  end;
  match goal with |- ?a = ?b => change (@eq (carrier R) a b) end; ring.

(* Visibly nonnegative: sums and products of squares, hypotheses and differences x - y, y <= x. *)
Ltac visible := repeat
  first [ assumption | exact: ler01 | exact: ler0n | exact: sqr_ge0 | exact: normr_ge0
        | (rewrite subr_ge0) | apply: addr_ge0 | apply: mulr_ge0 ].

Section Real.
Variable R : realFieldType.
Add Ring real_ring : (carrier_ring R).
Implicit Types (x y d D m el eu : R).

Lemma le_diff e x y : 0 <= e -> y - x = e -> x <= y.
Proof. by move=> e0 h; rewrite -subr_ge0 h. Qed.

(* ------------------------------------------------------------------------- Maxima *)

Section Max.
Variables (I : finType) (P : pred I) (F : I -> R).

Lemma bigmax_ge0 : 0 <= \big[Num.max/0]_(i | P i) F i.
Proof. by elim/big_rec: _ => // i x _ h; rewrite le_maxr h orbT. Qed.

Lemma le_bigmax i : P i -> F i <= \big[Num.max/0]_(i | P i) F i.
Proof.
rewrite -big_filter => Pi; have: i \in [seq i <- index_enum I | P i].
  by rewrite mem_filter Pi mem_index_enum.
elim: [seq _ <- _ | _] => // a s IH; rewrite inE big_cons le_maxr => /orP[/eqP->|/IH->].
  by rewrite lexx.
by rewrite orbT.
Qed.

Lemma bigmax_le c : 0 <= c -> (forall i, P i -> F i <= c) -> \big[Num.max/0]_(i | P i) F i <= c.
Proof. by move=> c0 h; elim/big_rec: _ => // i x Pi xc; rewrite le_maxl h. Qed.

(* A maximum above 0 is reached. *)
Lemma bigmax_reached : 0 < \big[Num.max/0]_(i | P i) F i ->
  exists2 i, P i & F i = \big[Num.max/0]_(i | P i) F i.
Proof.
elim/big_rec: _ => [|i x Pi IH]; first by rewrite ltxx.
case: (leP (F i) x) => [_ /IH //|xF _]; by exists i.
Qed.

End Max.

Lemma maxr_eq x y c : c <= x \/ c <= y -> c <= Num.max x y.
Proof. by rewrite le_maxr => -[->|->]; rewrite ?orbT. Qed.

Lemma pos_ge0 x : 0 <= Num.max x 0. Proof. by rewrite le_maxr lexx orbT. Qed.

Lemma pos_diff x y : Num.max (x - y) 0 - Num.max (y - x) 0 = x - y.
Proof.
case: (leP (x - y) 0) => h; case: (leP (y - x) 0) => h'; rewrite ?subr0 ?sub0r ?opprB //.
- by apply/eqP; rewrite eq_sym subr_eq0 eq_le -subr_le0 h -subr_le0 h'.
- by move: h; rewrite -opprB oppr_gt0 => /lt_trans /(_ h'); rewrite ltxx.
Qed.

Lemma pos_min x y : Num.max (x - y) 0 = x - Num.min x y.
Proof.
case: (leP x y) => h; first by rewrite subrr; apply/max_idPr; rewrite subr_le0.
by apply/max_idPl; rewrite subr_ge0 ltW.
Qed.

Lemma pos_norm x y : `|x - y| = Num.max (x - y) 0 + Num.max (y - x) 0.
Proof.
case: (leP x y) => h.
- by rewrite ler0_norm ?subr_le0 // (max_idPr _) ?subr_le0 // (max_idPl _) ?subr_ge0 // opprB add0r.
- by rewrite gtr0_norm ?subr_gt0 // (max_idPl _) ?subr_ge0 ?ltW // (max_idPr _) ?subr_le0 ?ltW // addr0.
Qed.

(* ------------------------------------------------------------------- The ladder in numbers *)

Section Ladder.
Variables (m el eu d D : R).
Hypotheses (m0 : 0 <= m) (el0 : 0 <= el) (leu : el <= eu) (d0 : 0 <= d) (dD : d <= D).
Let D0 : 0 <= D. Proof. exact: le_trans d0 dD. Qed.
Let eu0 : 0 <= eu. Proof. exact: le_trans el0 leu. Qed.
Let X0 : 0 <= m * eu. Proof. exact: mulr_ge0. Qed.
Let l0 : 0 <= x_lower m el. Proof. exact: mulr_ge0. Qed.

Lemma x_upper_le1 : x_upper m eu <= 1.
Proof. by rewrite /x_upper le_minl lexx. Qed.

Lemma x_upper_ge0 : 0 <= x_upper m eu.
Proof. by rewrite /x_upper le_minr ler01. Qed.

Lemma x_upper_leX : x_upper m eu <= m * eu.
Proof. by rewrite /x_upper le_minl lexx orbT. Qed.

Lemma x_lower_leX : x_lower m el <= m * eu.
Proof. exact: ler_wpmul2l. Qed.

Lemma x_lower_le_upper : m * el <= 1 -> x_lower m el <= x_upper m eu.
Proof. by move=> h; rewrite /x_upper le_minr h; exact: x_lower_leX. Qed.

Lemma sharp_le_product : sharp_value m el eu d D <= product_value m eu d D.
Proof.
have := x_upper_le1; have := x_upper_ge0; rewrite /sharp_value /product_value.
move: (x_upper _ _) (x_lower _ _) l0 => u l hl hu hu1.
by apply: (@le_diff (u * (1 - u) * (D - d) + l * D)); [visible | by_ring R].
Qed.

Lemma product_le_linear : m * el <= 1 -> product_value m eu d D <= linear_value m el eu d D.
Proof.
move=> /x_lower_le_upper; have := x_upper_le1; have := x_upper_ge0; have := x_upper_leX.
rewrite /product_value /linear_value; move: (x_upper _ _) (x_lower _ _) l0 => u l hl huX hu hu1 hlu.
apply: (@le_diff ((u - l) * ((1 - u) + (1 - l)) * d + ((m * eu - u) + (m * eu - u) + u ^+ 2) * D)).
  visible; exact: le_trans hlu hu1.
by_ring R.
Qed.

Lemma linear_le_appendix : linear_value m el eu d D <= paper_appendix_value m el eu d D.
Proof.
rewrite /linear_value /paper_appendix_value /x_lower.
by apply: (@le_diff ((m * eu) ^+ 2 * D)); [visible | by_ring R].
Qed.

Lemma linear_le_main : linear_value m el eu d D <= paper_main_value m el eu d D.
Proof.
rewrite /linear_value /paper_main_value /x_lower.
by apply: (@le_diff ((m * eu * D) ^+ 2)); [visible | by_ring R].
Qed.

Lemma linear_lt_appendix : 0 < D -> 0 < m * eu ->
  linear_value m el eu d D < paper_appendix_value m el eu d D.
Proof.
move=> Dp Xp; rewrite -subr_gt0 (_ : _ - _ = (m * eu) ^+ 2 * D).
  by rewrite mulr_gt0 // exprn_gt0.
by rewrite /linear_value /paper_appendix_value /x_lower; by_ring R.
Qed.

Lemma linear_lt_main : 0 < D -> 0 < m * eu ->
  linear_value m el eu d D < paper_main_value m el eu d D.
Proof.
move=> Dp Xp; rewrite -subr_gt0 (_ : _ - _ = (m * eu * D) ^+ 2).
  by rewrite exprn_gt0 // mulr_gt0.
by rewrite /linear_value /paper_main_value /x_lower; by_ring R.
Qed.

Lemma linear_ge : d <= linear_value m el eu d D.
Proof.
have h := x_lower_leX; rewrite /linear_value; move: (x_lower _ _) l0 h => l hl h.
apply: (@le_diff (l ^+ 2 * d + ((m * eu - l) + (m * eu - l)) * d
                  + (m * eu + m * eu) * (D - d))); [visible | by_ring R].
Qed.

Lemma sharp_lt : sharp_value m el eu d D < d <->
  (x_upper m eu - x_lower m el) * D < x_upper m eu * d.
Proof.
rewrite -(subr_gt0 _ d) -(subr_gt0 _ (_ * d)) /sharp_value.
by rewrite (_ : d - _ = x_upper m eu * d - (x_upper m eu - x_lower m el) * D) //; by_ring R.
Qed.

Lemma sharp_ge0 : m * el <= 1 -> 0 <= sharp_value m el eu d D.
Proof. by move=> /x_lower_le_upper h; rewrite /sharp_value; have hu := x_upper_le1; visible. Qed.

Lemma sharp_mono d' D' : m * el <= 1 -> d <= d' -> D <= D' ->
  sharp_value m el eu d D <= sharp_value m el eu d' D'.
Proof.
move=> /x_lower_le_upper hlu hd hD; have := x_upper_le1; rewrite /sharp_value.
move: (x_upper _ _) (x_lower _ _) hlu => u l hlu hu1.
by apply: (@le_diff ((1 - u) * (d' - d) + (u - l) * (D' - D))); [visible | by_ring R].
Qed.

Lemma sharp_le_total : sharp_value m el eu d D <= (1 - x_lower m el) * D.
Proof.
have hu1 := x_upper_le1; rewrite /sharp_value.
by apply: (@le_diff ((1 - x_upper m eu) * (D - d))); [visible | by_ring R].
Qed.

End Ladder.

Lemma product_ge m eu d D : 0 <= m * eu -> 0 <= d -> d <= D -> d <= product_value m eu d D.
Proof.
move=> X0 d0 dD; rewrite /product_value.
have u0 : 0 <= x_upper m eu by rewrite /x_upper le_minr ler01.
have u1 : x_upper m eu <= 1 by rewrite /x_upper le_minl lexx.
move: (x_upper _ _) u0 u1 => u u0 u1.
by apply: (@le_diff ((u * (1 - u) + u) * (D - d))); [visible | by_ring R].
Qed.

End Real.
