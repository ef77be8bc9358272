(* Softmax rows, by their odds: rows whose logits differ little cannot differ much. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper ranges.

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

(* -------------------------------------------- The part of the difference that leaves a cluster *)

Section Phi.
Variable R : realFieldType.
Add Ring phi_ring : (carrier_ring R).
Implicit Types (E p q y x : R).

Lemma slack_gt0 E y : 0 < E -> 0 <= y -> y <= 1 -> 0 < 1 - y + y * E.
Proof.
move=> E0 y0 y1; case: (eqVneq y 1) => [->|yn]; first by rewrite subrr add0r mul1r.
have y1' : 0 < 1 - y by rewrite subr_gt0 lt_def eq_sym yn.
by apply: (lt_le_trans y1'); rewrite ler_addl mulr_ge0 // ltW.
Qed.

Lemma gap_le_phi E p q : 0 < E -> 0 <= p -> p <= 1 -> E * p * (1 - q) <= q * (1 - p) ->
  p - q <= phi E p.
Proof.
move=> E0 p0 p1 h; rewrite /phi ler_pdivl_mulr ?slack_gt0 //.
by apply: (@le_diff _ (q * (1 - p) - E * p * (1 - q))); [visible | by_ring R].
Qed.

Lemma phi_mono E p y : 0 < E -> E <= 1 -> 0 <= p -> p <= y -> y <= 1 ->
  E * y * p <= (1 - y) * (1 - p) -> phi E p <= phi E y.
Proof.
move=> E0 E1 p0 py y1 h; have p1 := le_trans py y1; have y0 := le_trans p0 py.
rewrite /phi ler_pdivr_mulr ?slack_gt0 // [X in _ <= X]mulrAC ler_pdivl_mulr ?slack_gt0 //.
by apply: (@le_diff _ ((1 - E) * (y - p) * ((1 - y) * (1 - p) - E * y * p))); [visible | by_ring R].
Qed.

(* Below y* = 1 / (1 + r^-1), E = r^-2, phi still rises. *)
Lemma below_peak s p y : 0 < s -> 0 <= p -> p <= y -> y <= 1 / (1 + s) ->
  y <= 1 /\ s ^+ 2 * y * p <= (1 - y) * (1 - p).
Proof.
move=> s0 p0 py; rewrite ler_pdivl_mulr ?addr_gt0 // => h.
have s0' := ltW s0; have y0 := le_trans p0 py.
have hy : s * y <= 1 - y by apply: (@le_diff _ (1 - y * (1 + s))); [visible | by_ring R].
have hp : s * p <= 1 - p.
  by apply: (@le_diff _ ((1 - y * (1 + s)) + (y - p) * (1 + s))); [visible | by_ring R].
have y1 : 0 <= 1 - y by apply: le_trans hy; visible.
have p1 : 0 <= 1 - p by apply: le_trans hp; visible.
split; first by rewrite -subr_ge0.
apply: (@le_diff _ ((1 - y) * ((1 - p) - s * p) + (s * p) * ((1 - y) - s * y))); [visible | by_ring R].
Qed.

Lemma sum_as_gap (p a b c : R) : (p - a) * b + a * c = p * b + a * (c - b).
Proof. by by_ring R. Qed.

Lemma cube (b x c : R) : b * x * x * c * x = b * c * x ^+ 3.
Proof. by by_ring R. Qed.

End Phi.

Section Rows.
Variables (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType).
Variables (e : R -> R) (B : V -> V -> R) (beta : R) (z : T -> V) (G : {set T}).
Hypotheses (HN : seminorm N) (He : exponential e) (b0 : 0 <= beta) (HB : logits N B beta).
Add Ring rows_ring : (carrier_ring R).

Let d := diam N z G.
Let D := diam N z setT.
Let omega := beta * d * D.
Let A := softmax e B z.
Let r := e (omega / 2%:R).

Let d0 : 0 <= d. Proof. exact: diam_ge0. Qed.
Let D0 : 0 <= D. Proof. exact: diam_ge0. Qed.
Let omega0 : 0 <= omega. Proof. by rewrite /omega; visible. Qed.

Lemma halves (x : R) : x / 2%:R + x / 2%:R = x.
Proof. by rewrite -mulrDl -mulr2n -[x *+ 2]mulr_natr mulfK // pnatr_eq0. Qed.

Lemma e_gt0 x : 0 < e x.
Proof.
case: He => e0 eD _; rewrite lt_def; apply/andP; split.
  apply/eqP => ex; have := eD x (- x); rewrite ex mul0r subrr e0 => /eqP.
  by rewrite oner_eq0.
by rewrite -(halves x) eD -expr2 sqr_ge0.
Qed.

Lemma r_ge1 : 1 <= r.
Proof. by case: He => e0 _ mono; rewrite -e0; apply: mono; rewrite divr_ge0 ?ler0n. Qed.

Lemma r_sqr : r ^+ 2 = e omega.
Proof. by case: He => _ eD _; rewrite expr2 /r -eD halves. Qed.

Lemma e_neg x : e (- x) = (e x)^-1.
Proof.
case: He => e0 eD _; apply: (mulfI (lt0r_neq0 (e_gt0 x))).
by rewrite mulfV ?lt0r_neq0 ?e_gt0 // -eD subrr.
Qed.

Lemma tanh_r : tanh_of e (omega / 4%:R) = (r - 1) / (r + 1).
Proof.
rewrite /tanh_of /r (_ : 2%:R * (omega / 4%:R) = omega / 2%:R) //.
rewrite (_ : 4%:R = 2%:R * 2%:R :> R); last by rewrite -natrM.
by rewrite mulrCA; congr (_ * _); rewrite invfM mulrA divff ?pnatr_eq0 // mul1r.
Qed.

Lemma softmax_stochastic : stochastic A.
Proof.
have S0 j : 0 < \sum_i e (B (z j) (z i)).
  rewrite (bigD1 j) //= ltr_spaddl ?e_gt0 // sumr_ge0 // => i _; exact: ltW (e_gt0 _).
split=> [j k|j]; first by rewrite divr_ge0 ?ltW ?e_gt0.
by rewrite /A /softmax -mulr_suml divff // lt0r_neq0.
Qed.

Lemma softmax_odds j i k l : j \in G -> i \in G -> A j k * A i l <= r ^+ 2 * (A j l * A i k).
Proof.
move=> hj hi; case: He => _ eD mono; case: HB => Bl Br Bn; rewrite r_sqr /A /softmax !mulf_div mulrA.
apply: ler_wpmul2r.
  by rewrite invr_ge0 mulr_ge0 // sumr_ge0 // => x _; exact: ltW (e_gt0 _).
rewrite -!eD; apply: mono.
have near : B (z j - z i) (z k - z l) <= omega.
  apply: le_trans (Bn _ _) _; rewrite /omega -!mulrA; apply: ler_wpmul2l => //.
  apply: ler_pmul; [exact: N_ge0 | exact: N_ge0 | exact: dist_le_diam |].
  by apply: dist_le_diam; rewrite inE.
rewrite !Br !Bl in near.
apply: (@le_diff _ (omega - (B (z j) (z k) - B (z i) (z k) - (B (z j) (z l) - B (z i) (z l))))).
  by rewrite subr_ge0.
by by_ring R.
Qed.

Lemma cluster_cubic_here : diam N (attend A z) G <= tanh_of e (omega / 4%:R) * D.
Proof.
rewrite tanh_r; apply: odds_cluster => //; first exact: softmax_stochastic.
  exact: r_ge1.
by move=> j i hj hi k l; exact: softmax_odds.
Qed.

(* One side of the outside difference is the gap of one set of outside tokens. *)
Lemma outside_gap j i x : j \in G -> i \in G -> mass A j (~: G) <= x ->
  \sum_(k in ~: G) excess A j i k
    <= if x <= 1 / (1 + e (- (omega / 2%:R))) then phi (e (- omega)) x else tanh_of e (omega / 4%:R).
Proof.
move=> hj hi hx; have HA := softmax_stochastic; have r1 := r_ge1.
have rp : 0 < r by exact: e_gt0.
case: ifP => [hpeak|_]; last first.
  rewrite tanh_r; apply: le_trans (odds HA r1 (fun k l => softmax_odds k l hj hi)).
  by rewrite -(excess_split HA G j i) ler_addr sumr_ge0 // => k _; exact: excess_ge0.
pose S k := (k \in ~: G) && (A i k < A j k).
pose p := \sum_(k | S k) A j k; pose q := \sum_(k | S k) A i k.
have -> : \sum_(k in ~: G) excess A j i k = p - q.
  rewrite -sumrB [RHS]big_mkcondr; apply: eq_bigr => k _.
  rewrite /excess; case: ltP => hk; first by apply/max_idPl; rewrite subr_ge0 ltW.
  by apply/max_idPr; rewrite subr_le0.
have p0 : 0 <= p by apply: sumr_ge0 => k _; exact: A_ge0.
have px : p <= x.
  apply: le_trans hx; rewrite /p /mass big_mkcondr; apply: ler_sum => k _.
  by case: ifP => // _; exact: A_ge0.
have rest w : \sum_(k | ~~ S k) A w k = 1 - \sum_(k | S k) A w k.
  by rewrite -(A_sum HA w) [X in _ = X - _](bigID S) /= addrAC subrr add0r.
have p1 : p <= 1 by rewrite -subr_ge0 -rest sumr_ge0 // => k _; exact: A_ge0.
have odds_pq : p * (1 - q) <= r ^+ 2 * (q * (1 - p)).
  rewrite -!rest !mulr_suml mulr_sumr; apply: ler_sum => k _.
  rewrite !mulr_sumr; apply: ler_sum => l _.
  by rewrite [A i k * _]mulrC; exact: softmax_odds.
have eE : e (- omega) = (e (- (omega / 2%:R))) ^+ 2 by rewrite !e_neg exprVn -r_sqr.
have E0 : 0 < e (- omega) by exact: e_gt0.
have E1 : e (- omega) <= 1 by rewrite e_neg -r_sqr invf_le1 ?exprn_gt0 // exprn_ege1.
have [x1 hmono] := below_peak (e_gt0 _) p0 px hpeak.
apply: le_trans (_ : phi (e (- omega)) p <= _); last first.
  by apply: phi_mono => //; rewrite eE.
apply: gap_le_phi => //; rewrite e_neg -r_sqr -mulrA.
by rewrite mulrC ler_pdivr_mulr ?exprn_gt0 // [X in _ <= X]mulrC.
Qed.

Lemma softmax_cluster_here x : G != set0 -> (forall j, j \in G -> mass A j (~: G) <= x) ->
  diam N (attend A z) G
    <= tanh_of e (omega / 4%:R) * d
       + (if x <= 1 / (1 + e (- (omega / 2%:R))) then phi (e (- omega)) x
          else tanh_of e (omega / 4%:R)) * (D - d).
Proof.
move=> Gn hx; have HA := softmax_stochastic; set f := (if _ then _ else _).
have dD : d <= D by exact: diam_le_all.
have gap j i : j \in G -> i \in G -> outer_variation A G j i <= f.
  by move=> hj hi; rewrite /outer_variation le_maxl !outside_gap // hx.
have bound j i : j \in G -> i \in G ->
    (variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D
      <= tanh_of e (omega / 4%:R) * d + f * (D - d).
  move=> hj hi; rewrite sum_as_gap; apply: ler_add; apply: ler_wpmul2r => //.
  - by rewrite tanh_r; apply: odds => //; [exact: r_ge1 | move=> k l; exact: softmax_odds].
  - by rewrite subr_ge0.
  - exact: gap.
case/set0Pn: Gn => j hj.
have pos : 0 <= tanh_of e (omega / 4%:R) * d + f * (D - d).
  apply: le_trans (bound j j hj hj); exact: pair_value_ge0.
apply: le_trans (cluster_dobrushin z G HN HA) _.
by apply: bigmax_le => // k hk; apply: bigmax_le => // i hi; exact: bound.
Qed.

End Rows.

Theorem cluster_cubic : statements.cluster_cubic.
Proof. by move=> R V N T e B beta z G HN He b0 HB /=; exact: cluster_cubic_here. Qed.

Theorem cubic : statements.cubic.
Proof.
move=> R V N T e B beta z HN He b0 HB /=; set D := diam N z setT.
have D0 : 0 <= D by exact: diam_ge0.
have h := cluster_cubic_here z setT HN He b0 HB.
have eq : beta * D ^+ 2 / 4%:R = beta * D * D / 4%:R by rewrite expr2 mulrA.
split=> [|tanh_le]; first by rewrite eq.
apply: le_trans h _; apply: (@le_trans _ _ (beta * D * D / 4%:R * D)).
  by rewrite ler_wpmul2r // tanh_le // divr_ge0 ?ler0n // !mulr_ge0.
by rewrite -cube.
Qed.

Theorem softmax_cluster : statements.softmax_cluster.
Proof. by move=> R V N T e B beta x z G HN He b0 HB Gn hx /=; exact: softmax_cluster_here. Qed.

Section Antipodal.
Variables (R : realFieldType) (e : R -> R) (beta b : R).
Hypotheses (He : exponential e) (beta0 : 0 <= beta) (b0 : 0 <= b).
Add Ring antipodal_ring : (carrier_ring R).

Let N (x : R^o) : R := `|x : R|.

(* Two tokens, opposite each other. *)
Lemma diam_opposite (x : R) (w : bool -> R^o) : 0 <= x -> w true = x -> w false = - x ->
  diam N w setT = 2%:R * x.
Proof.
move=> x0 wt wf; have ex : 2%:R * x = x + x by by_ring R.
have c0 : 0 <= 2%:R * x by rewrite ex addr_ge0.
apply: (@diam_eq _ _ N _ w setT _ true false) => //; last first.
  by rewrite /N wt wf opprK -ex ger0_norm.
have flip : - x - x = - (2%:R * x) by by_ring R.
by move=> [] [] _ _; rewrite /N ?wt ?wf ?subrr ?normr0 // ?opprK -?ex ?flip ?normrN ger0_norm.
Qed.

Lemma tanh_symmetric (p q t : R) : 0 < p -> p * q = 1 -> t = p * p ->
  (p - q) / (p + q) = (t - 1) / (t + 1).
Proof.
move=> p0 pq ->; have pn : p != 0 by exact: lt0r_neq0.
rewrite -pq (_ : p * p - p * q = p * (p - q)); last by by_ring R.
rewrite (_ : p * p + p * q = p * (p + q)); last by by_ring R.
by rewrite -mulf_div divff // mul1r.
Qed.

Lemma towards_own (p q c : R) : p * c * b + q * c * - b = 1 * ((p - q) * c * b).
Proof. by by_ring R. Qed.

Lemma towards_other (p q c : R) : q * c * b + p * c * - b = - (1 * ((p - q) * c * b)).
Proof. by by_ring R. Qed.

Lemma quarter : 2%:R * (beta * (2%:R * b) ^+ 2 / 4%:R) = beta * b * b + beta * b * b.
Proof.
have four : 4%:R = 2%:R * 2%:R :> R by rewrite -natrM.
rewrite (_ : beta * (2%:R * b) ^+ 2 = beta * b * b * 4%:R); last by rewrite four; by_ring R.
by rewrite mulfK ?pnatr_eq0 //; by_ring R.
Qed.

End Antipodal.

Theorem cubic_attained : statements.cubic_attained.
Proof.
move=> R e beta b He beta0 b0 N B z D.
have eD : D = 2%:R * b by exact: diam_opposite.
case: (He) => e0 eadd mono; split=> //.
  split=> [x x' y|x y y'|x y]; rewrite /B; [by rewrite mulrBr mulrBl | by rewrite mulrBr |].
  rewrite -!mulrA; apply: ler_wpmul2l => //; rewrite /N -normrM; exact: ler_norm.
pose p := e (beta * b * b); pose q := e (- (beta * b * b)).
have p0 : 0 < p by exact: e_gt0.
have q0 : 0 < q by exact: e_gt0.
have pq : p * q = 1 by rewrite -eadd subrr.
have qp : q <= p.
  apply: mono; apply: (@le_trans _ _ 0); rewrite ?oppr_le0 -?mulrA; rewrite !mulr_ge0 //.
have n0 : p + q != 0 by rewrite lt0r_neq0 // addr_gt0.
have step k : attend (softmax e B z) z k = (if k then 1 else - 1) * ((p - q) / (p + q) * b).
  rewrite /attend big_bool /softmax !big_bool /B /z.
  case: k; rewrite ?mulrN ?mulNr ?opprK -/p -/q; first exact: towards_own.
  rewrite (_ : GRing.add_comoid R q p = p + q); [exact: towards_other | exact: addrC].
have x0 : 0 <= (p - q) / (p + q) * b.
  by rewrite mulr_ge0 // divr_ge0 ?subr_ge0 // ltW // addr_gt0.
have wt : attend (softmax e B z) z true = (p - q) / (p + q) * b by rewrite step /= mul1r.
have wf : attend (softmax e B z) z false = - ((p - q) / (p + q) * b) by rewrite step /= mulN1r.
rewrite (diam_opposite x0 wt wf).
rewrite eD /tanh_of quarter eadd -/p -(tanh_symmetric p0 pq (erefl _)).
by rewrite mulrCA.
Qed.
