(* How far two clusters stay apart. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import Ring.
From Attnclust Require Import statements scalars transport upper ranges attained.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Hulls.
Variables (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) (z : T -> V).
Hypothesis HN : seminorm N.
Add Ring hulls_ring : (carrier_ring R).
Implicit Types (G H : {set T}) (a b p q : T -> R).

Let S p : V := \sum_k p k *: z k.
Let D : R := diam N z setT.

Let D0 : 0 <= D. Proof. exact: diam_ge0. Qed.

Definition outer p G : R := \sum_(k in ~: G) p k.
Definition inner_part p G k : R := if k \in G then p k else 0.
Definition outer_part p G k : R := if k \in G then 0 else p k.

Lemma parts p G k : inner_part p G k + outer_part p G k = p k.
Proof. by rewrite /inner_part /outer_part; case: ifP; rewrite ?addr0 ?add0r. Qed.

Lemma outer_part_sum p G : \sum_k outer_part p G k = outer p G.
Proof.
rewrite /outer [RHS]big_mkcond; apply: eq_bigr => k _.
by rewrite /outer_part inE; case: ifP.
Qed.

Lemma inner_part_sum p G : \sum_k p k = 1 -> \sum_k inner_part p G k = 1 - outer p G.
Proof.
move=> <-; rewrite -outer_part_sum -sumrB; apply: eq_bigr => k _.
by rewrite -(parts p G k) addrK.
Qed.

Lemma S_parts p G : S p = S (inner_part p G) + S (outer_part p G).
Proof. by rewrite /S -big_split; apply: eq_bigr => k _ /=; rewrite -scalerDl parts. Qed.

Lemma S_scale c p : S (fun k => c * p k) = c *: S p.
Proof. by rewrite /S scaler_sumr; apply: eq_bigr => k _; rewrite scalerA. Qed.

Lemma far_le p q M : (forall k, 0 <= p k) -> (forall k, 0 <= q k) ->
  \sum_k p k = M -> \sum_k q k = M -> N (S p - S q) <= M * D.
Proof. by move=> *; apply: (match_bound HN) => // k l _ _; apply: dist_le_diam; rewrite inE. Qed.

Lemma reorder (a b c d e : V) : (a - b + c) - (d + e) = (a - d) - ((b + e) - c).
Proof.
rewrite opprB !opprD !addrA; congr (_ - e); rewrite -!addrA; congr (a + _).
by rewrite addrCA [RHS]addrCA [- b - d]addrC.
Qed.

(* Weights a and b, of which x' is outside G and y' outside H; y' <= x'. *)
Lemma gap_half G H s a b : 0 <= s -> s <= D -> separated N z G H s ->
  (forall k, 0 <= a k) -> (forall k, 0 <= b k) -> \sum_k a k = 1 -> \sum_k b k = 1 ->
  outer b H <= outer a G ->
  (1 - outer b H) * s - outer a G * D <= N (S a - S b).
Proof.
move=> s0 sD sep a0 b0 a1 b1; set x := outer a G; set y := outer b H => yx.
have ia0 k : 0 <= inner_part a G k by rewrite /inner_part; case: ifP.
have ib0 k : 0 <= inner_part b H k by rewrite /inner_part; case: ifP.
have oa0 k : 0 <= outer_part a G k by rewrite /outer_part; case: ifP.
have ob0 k : 0 <= outer_part b H k by rewrite /outer_part; case: ifP.
have x1 : x <= 1 by rewrite -subr_ge0 -(inner_part_sum G a1) sumr_ge0.
have y0 : 0 <= y by rewrite /y -outer_part_sum sumr_ge0.
have x0 : 0 <= x by exact: le_trans yx.
case: (eqVneq x 1) => [->|xn].
  apply: le_trans (N_ge0 HN _).
  by apply: (@le_diff _ (y * s + (D - s))); [visible | by_ring R].
have cx : 0 < 1 - x by rewrite subr_gt0 lt_def eq_sym xn.
have cy : 0 < 1 - y by rewrite subr_gt0 (le_lt_trans yx) // lt_def eq_sym xn.
pose g k := (1 - x)^-1 * inner_part a G k; pose h k := (1 - y)^-1 * inner_part b H k.
have hg : hull_weights G g.
  split=> [k|k kG|]; first by rewrite mulr_ge0 // invr_ge0 ltW.
    by rewrite /g /inner_part (negbTE kG) mulr0.
  by rewrite -mulr_sumr inner_part_sum // mulVf // gt_eqF.
have hh : hull_weights H h.
  split=> [k|k kH|]; first by rewrite mulr_ge0 // invr_ge0 ltW.
    by rewrite /h /inner_part (negbTE kH) mulr0.
  by rewrite -mulr_sumr inner_part_sum // mulVf // gt_eqF.
have eg : S (inner_part a G) = (1 - x) *: S g by rewrite S_scale scalerA mulfV ?scale1r // gt_eqF.
have eh : S (inner_part b H) = (1 - y) *: S h by rewrite S_scale scalerA mulfV ?scale1r // gt_eqF.
pose rest k := (x - y) * g k + outer_part b H k.
have e : S a - S b = (1 - y) *: (S g - S h) - (S rest - S (outer_part a G)).
  have -> : S rest = (x - y) *: S g + S (outer_part b H).
    rewrite /S scaler_sumr -big_split; apply: eq_bigr => k _ /=.
    by rewrite scalerA -scalerDl.
  rewrite (S_parts a G) (S_parts b H) eg eh scalerBr.
  have -> : (1 - x) *: S g = (1 - y) *: S g - (x - y) *: S g.
    by rewrite -scalerBl; congr (_ *: _); by_ring R.
  exact: reorder.
have far : N (S rest - S (outer_part a G)) <= x * D.
  apply: far_le => //.
  - by move=> k; case: hg => g0 _ _; rewrite addr_ge0 // mulr_ge0 // subr_ge0.
  - rewrite big_split /= -mulr_sumr outer_part_sum; case: hg => _ _ ->.
    by rewrite mulr1 subrK.
  - exact: outer_part_sum.
have near : (1 - y) * s <= N ((1 - y) *: (S g - S h)).
  by rewrite (N_pos HN _ (ltW cy)) (ler_wpmul2l (ltW cy)) //; exact: sep.
rewrite e; apply: le_trans (N_reverse HN _ _); exact: ler_sub.
Qed.

Lemma separated_sym G H s : separated N z G H s -> separated N z H G s.
Proof. by move=> h p q hp hq; rewrite N_sym //; exact: h. Qed.

Lemma gap G H s a b x y : 0 <= s -> s <= D -> separated N z G H s ->
  (forall k, 0 <= a k) -> (forall k, 0 <= b k) -> \sum_k a k = 1 -> \sum_k b k = 1 ->
  outer a G <= x -> outer b H <= y ->
  (1 - Num.min x y) * s - Num.max x y * D <= N (S a - S b).
Proof.
move=> s0 sD sep a0 b0 a1 b1 hx hy.
apply: (@le_trans _ _ ((1 - Num.min (outer a G) (outer b H)) * s - Num.max (outer a G) (outer b H) * D)).
  apply: ler_sub; [apply: ler_wpmul2r | apply: ler_wpmul2r] => //.
    rewrite ler_sub // le_minr !le_minl hx hy !orbT //.
  by rewrite le_maxl !le_maxr hx hy !orbT.
case: (leP (outer b H) (outer a G)) => h; first exact: gap_half.
rewrite N_sym //; apply: (gap_half s0 sD (separated_sym sep)) => //; exact: ltW.
Qed.

End Hulls.

Theorem separation : statements.separation.
Proof.
move=> R V N T A z G H s x y HN HA s0 sep hx hy p q hp hq.
have sD : s <= diam N z setT.
  apply: le_trans (sep p q hp hq) _; case: hp hq => p0 _ p1 [q0 _ q1].
  by rewrite -[X in _ <= X]mul1r; exact: far_le.
have mixE w : \sum_j w j *: attend A z j = \sum_k (\sum_j w j * A j k) *: z k.
  rewrite (eq_bigr (fun j => \sum_k (w j * A j k) *: z k)); last first.
    by move=> j _; rewrite scaler_sumr; apply: eq_bigr => k _; rewrite scalerA.
  by rewrite exchange_big; apply: eq_bigr => k _; rewrite scaler_suml.
have mix0 w k : (forall j, 0 <= w j) -> 0 <= \sum_j w j * A j k.
  by move=> w0; apply: sumr_ge0 => j _; rewrite mulr_ge0 // A_ge0.
have mix1 w : \sum_j w j = 1 -> \sum_k \sum_j w j * A j k = 1.
  move=> <-; rewrite exchange_big; apply: eq_bigr => j _.
  by rewrite -mulr_sumr (A_sum HA) mulr1.
have mix_out w K c : hull_weights K w -> (forall j, j \in K -> mass A j (~: K) <= c) ->
    outer (fun k => \sum_j w j * A j k) K <= c.
  move=> [w0 wz w1] h; rewrite /outer exchange_big /= -[X in _ <= X]mul1r -w1 mulr_suml.
  apply: ler_sum => j _; rewrite -mulr_sumr; case hj: (j \in K); first by rewrite ler_wpmul2l // h.
  by rewrite (wz j) ?hj // !mul0r.
case: (hp) (hq) => p0 _ p1 [q0 _ q1]; rewrite !mixE.
apply: (gap HN s0 sD sep _ _ _ _ (mix_out p G x hp hx) (mix_out q H y hq hy)).
- by move=> k; exact: mix0.
- by move=> k; exact: mix0.
- exact: mix1.
- exact: mix1.
Qed.

Theorem separation_attained : statements.separation_attained.
Proof.
move=> R V N u T G H o s x y D HN Nu /set0Pn[g gG] /set0Pn[h hH] disj.
rewrite inE negb_or => /andP[oG oH] /andP[s0 sD] /andP[y0 yx] x1 gap0.
have apart k : k \in G -> k \in H -> False.
  by move=> kG kH; move: disj; rewrite -setI_eq0 => /eqP/setP/(_ k); rewrite !inE kG kH.
have D0 := le_trans s0 sD.
pose w j : R := if j \in G then x else if j \in H then y else 0.
pose to j := if j \in G then o else g.
pose A j k : R := (1 - w j) * (k == j)%:R + w j * (k == to j)%:R.
pose f k := if k \in G then s else if k \in H then 0 else s - D.
have w0 j : 0 <= w j by rewrite /w; case: ifP => _; [exact: le_trans yx | case: ifP].
have w1 j : w j <= 1.
  by rewrite /w; case: ifP => _ //; case: ifP => _; [exact: le_trans yx x1 | exact: ler01].
have pick (P : pred T) (F : T -> R) j :
    \sum_(k | P k) (k == j)%:R * F k = (P j)%:R * F j.
  case Pj: (P j); last first.
    rewrite mul0r big1 // => k Pk; case: eqP => [e|_]; last by rewrite mul0r.
    by rewrite -e Pk in Pj.
  by rewrite (bigD1 j) //= eqxx big1 ?addr0 // => k /andP[_ /negbTE->]; rewrite mul0r.
have sumA (P : pred T) (F : T -> R) j : \sum_(k | P k) A j k * F k
    = (1 - w j) * ((P j)%:R * F j) + w j * ((P (to j))%:R * F (to j)).
  rewrite -(pick P F j) -(pick P F (to j)) !mulr_sumr -big_split; apply: eq_bigr => k _ /=.
  by rewrite {1}/A mulrDl !mulrA.
have massA j (K : {set T}) : mass A j (~: K) = (1 - w j) * (j \notin K)%:R + w j * (to j \notin K)%:R.
  rewrite /mass (eq_bigr (fun k => A j k * 1)); last by move=> k _; rewrite mulr1.
  by rewrite (sumA (mem (~: K))) !inE !mulr1.
have HA : stochastic A.
  split=> [j k|j]; first by rewrite addr_ge0 // mulr_ge0 ?ler0n // subr_ge0.
  rewrite (eq_bigr (fun k => A j k * 1)); last by move=> k _; rewrite mulr1.
  by rewrite (sumA predT) /= !mulr1 subrK.
have fH k : k \in H -> f k = 0.
  by move=> kH; rewrite /f kH; case: ifP => // kG; case: (apart k).
exists A, (on_line u f); split.
- split=> //; rewrite -[RHS](_ : s - (s - D) = D); last by rewrite opprB addrC subrK.
  apply: (@diam_line _ _ _ _ _ HN Nu _ _ _ _ g o); rewrite ?inE //.
  + by rewrite ler_subl_addr ler_addl.
  + move=> k _; rewrite /f; case: ifP => _; first by rewrite lexx andbT ler_subl_addr ler_addl.
    case: ifP => _; first by rewrite subr_le0 sD s0.
    by rewrite lexx ler_subl_addr ler_addl.
  + by rewrite /f gG.
  + by rewrite /f (negbTE oG) (negbTE oH).
- split=> [j jG|i iH]; rewrite massA.
    by rewrite jG /w /to jG oG mulr0 mulr1 add0r.
  have iG : i \notin G by apply/negP => iG; exact: (apart i).
  have gH : g \notin H by apply/negP => gH; exact: (apart g).
  by rewrite iH /w /to (negbTE iG) iH gH mulr0 mulr1 add0r.
- move=> p q [p0 pz p1] [q0 qz q1]; rewrite !sum_line N_line //.
  rewrite (eq_bigr (fun k => p k * s)); last first.
    move=> k _; case kG: (k \in G); first by rewrite /f kG.
    by rewrite (pz k) ?kG // !mul0r.
  rewrite -mulr_suml p1 mul1r [X in _ - X]big1 ?subr0 ?ger0_norm // => k _.
  by case kH: (k \in H); [rewrite fH // mulr0 | rewrite (qz k) ?kH // mul0r].
move=> j i jG iH; rewrite /attend !sum_line N_line // !(sumA predT) /= !mul1r.
have iG : i \notin G by apply/negP => iG; exact: (apart i).
rewrite /w /to jG (negbTE iG) iH (fH i iH) mulr0 add0r.
rewrite /f jG gG (negbTE oG) (negbTE oH).
rewrite -[RHS](ger0_norm gap0); congr (`|_|).
by rewrite !mulrBl !mulrBr !mul1r !addrA subrK addrAC.
Qed.

Section Functional.
Variable R : realFieldType.
Add Ring functional_ring : (carrier_ring R).

(* The algebra behind: f is at least al on G, at most be on H, and lies in [lo, hi]. *)
Lemma functional_gap (g h t s D al be lo hi : R) :
  0 <= g -> 0 <= h -> g <= t -> h <= t -> s <= al - be -> lo <= be -> al <= hi -> hi - lo <= D ->
  s * Num.max g h + D * Num.min g h - D * t
    <= (g * al + (t - g) * lo) - (h * be + (t - h) * hi).
Proof.
move=> g0 h0 gt ht sab lb ah hl; case: (leP g h) => gh.
- apply: (@le_diff _ ((t - g) * (D - (hi - lo)) + g * ((al - be) - s)
                      + (h - g) * ((hi - al) + ((al - be) - s)))); [visible | by_ring R].
- have {}gh := ltW gh.
  apply: (@le_diff _ ((t - h) * (D - (hi - lo)) + h * ((al - be) - s)
                      + (g - h) * ((be - lo) + ((al - be) - s)))); [visible | by_ring R].
Qed.

End Functional.

Theorem separation_dobrushin : statements.separation_dobrushin.
Proof.
move=> R T A f G H s D j i HA jG iH s0 sep spread /=.
set P := excess A j i; set Q := excess A i j.
have P0 k : 0 <= P k by exact: excess_ge0.
have Q0 k : 0 <= Q k by exact: excess_ge0.
have -> : \sum_k A j k * f k - \sum_k A i k * f k = \sum_k P k * f k - \sum_k Q k * f k.
  by rewrite -!sumrB; apply: eq_bigr => k _; rewrite -!mulrBl excess_diff.
have sP : \sum_k P k = variation A j i by exact: excess_sum.
have sQ : \sum_k Q k = variation A j i by rewrite -excess_sum_sym.
case: (Order.TotalTheory.arg_minP f jG) => a aG amin.
case: (Order.TotalTheory.arg_maxP f iH) => b bH bmax.
case: (Order.TotalTheory.arg_minP f (isT : predT j)) => lo _ lomin.
case: (Order.TotalTheory.arg_maxP f (isT : predT j)) => hi _ himax.
set g := \sum_(k in G) P k; set h := \sum_(k in H) Q k; set t := variation A j i.
have rest (p : T -> R) (K : {set T}) : \sum_k p k = t -> \sum_(k | k \notin K) p k = t - \sum_(k in K) p k.
  by move=> <-; rewrite [in RHS](bigID (mem K)) /= addrAC subrr add0r.
have gt : g <= t by rewrite -subr_ge0 -(rest P G sP) sumr_ge0.
have ht : h <= t by rewrite -subr_ge0 -(rest Q H sQ) sumr_ge0.
apply: le_trans (functional_gap (al := f a) (be := f b) (lo := f lo) (hi := f hi) _ _ gt ht _ _ _ _) _.
- exact: sumr_ge0.
- exact: sumr_ge0.
- exact: sep.
- exact: lomin.
- exact: himax.
- exact: spread.
apply: ler_sub.
  rewrite [X in _ <= X](bigID (mem G)) /= -(rest P G sP) !mulr_suml; apply: ler_add.
    by apply: ler_sum => k kG; rewrite ler_wpmul2l // amin.
  by apply: ler_sum => k _; rewrite ler_wpmul2l // lomin.
rewrite (bigID (mem H)) /= -(rest Q H sQ) !mulr_suml; apply: ler_add.
  by apply: ler_sum => k kH; rewrite ler_wpmul2l //; exact: bmax.
by apply: ler_sum => k _; rewrite ler_wpmul2l //; exact: himax.
Qed.

Theorem separation_dobrushin_attained : statements.separation_dobrushin_attained.
Proof.
move=> R T A G H s D j i HA disj /andP[s0 sD] /=.
set P := excess A j i; set Q := excess A i j; set t := variation A j i.
have D0 := le_trans s0 sD.
have apart k : k \in G -> (k \in H) = false.
  by move=> kG; apply/negbTE/negP => kH; move: disj; rewrite -setI_eq0 => /eqP/setP/(_ k); rewrite !inE kG kH.
have sP : \sum_k P k = t by exact: excess_sum.
have sQ : \sum_k Q k = t by rewrite -excess_sum_sym.
have side k : P k = 0 \/ Q k = 0.
  rewrite /P /Q /excess; case: (leP (A j k) (A i k)) => h.
    by left; apply/max_idPr; rewrite subr_le0.
  by right; apply/max_idPr; rewrite subr_le0 ltW.
have toPQ (f : T -> R) : \sum_k A j k * f k - \sum_k A i k * f k = \sum_k (P k * f k - Q k * f k).
  by rewrite -sumrB; apply: eq_bigr => k _; rewrite -!mulrBl excess_diff.
have split_f (x y : R) (f : T -> R) :
    (forall k, P k * f k - Q k * f k
       = (if k \in G then P k else 0) * x + (if k \in H then Q k else 0) * y - Q k * D) ->
    \sum_k (P k * f k - Q k * f k)
    = (\sum_(k in G) P k) * x + (\sum_(k in H) Q k) * y - t * D.
  move=> hf; rewrite (eq_bigr _ (fun k _ => hf k)) sumrB big_split /= -!mulr_suml sQ.
  by rewrite -!big_mkcond.
set g := \sum_(k in G) P k; set h := \sum_(k in H) Q k.
have u0 x : 0 <= x -> x <= D -> forall y, 0 <= y -> y <= D -> x - y <= D.
  by move=> _ xD y y0 _; rewrite ler_subl_addr (le_trans xD) // ler_addl.
case: (leP g h) => gh.
- exists (fun k => if k \in G then D else if k \in H then (if Q k == 0 then 0 else D - s)
                   else if Q k == 0 then 0 else D); split.
  + move=> k l kG lH; rewrite kG lH; case: ifP => [/apart|_]; first by rewrite lH.
    by case: ifP => _; rewrite ?subr0 // opprB addrC subrK.
  + have r k : 0 <= (if k \in G then D else if k \in H then (if Q k == 0 then 0 else D - s)
                     else if Q k == 0 then 0 else D) <= D.
      by do 3 ?[case: ifP => _]; rewrite ?lexx ?D0 // subr_ge0 sD ler_subl_addr ler_addl.
    by move=> k l; case/andP: (r k) => *; case/andP: (r l) => *; exact: u0.
  rewrite toPQ (split_f D s); first by rewrite ![_ * D]mulrC [h * s]mulrC [D * g + _]addrC.
  move=> k; case kG: (k \in G).
    by rewrite apart // mul0r addr0.
  rewrite mul0r add0r; case kH: (k \in H); case: (side k) => z; rewrite z ?eqxx ?mul0r ?mulr0 ?subrr ?sub0r ?subr0 //.
  + case: eqP => [->|_]; first by rewrite !mul0r subrr oppr0.
    by rewrite mulrBr opprB.
  + by case: eqP => [->|_]; rewrite ?mul0r ?oppr0.
- exists (fun k => if k \in G then (if P k == 0 then D else s) else if k \in H then 0
                   else if P k == 0 then D else 0); split.
  + move=> k l kG lH; rewrite kG lH; case: ifP => [_|_]; case: ifP => [/apart|_]; rewrite ?lH //.
      by rewrite subr0.
    by rewrite subr0.
  + have r k : 0 <= (if k \in G then (if P k == 0 then D else s) else if k \in H then 0
                     else if P k == 0 then D else 0) <= D.
      by do 3 ?[case: ifP => _]; rewrite ?lexx ?D0 ?s0.
    by move=> k l; case/andP: (r k) => *; case/andP: (r l) => *; exact: u0.
  rewrite toPQ (split_f s D); first by rewrite ![_ * D]mulrC [g * s]mulrC.
  move=> k; case kG: (k \in G).
    rewrite apart // mul0r addr0; case: (side k) => z; rewrite z ?eqxx ?mul0r ?subr0 ?sub0r ?add0r //.
    by case: eqP => [->|_]; rewrite ?mul0r.
  rewrite mul0r add0r; case kH: (k \in H); case: (side k) => z; rewrite z ?eqxx ?mul0r ?mulr0 ?subrr ?sub0r ?add0r ?subr0 //.
  by case: eqP => [->|_]; rewrite ?mul0r ?mulr0 ?oppr0 ?subr0.
Qed.
