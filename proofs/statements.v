(* Every statement of the ladder, and nothing else: read this file, not the proofs.

   Each [Definition x : Prop] below is proved by a [Theorem x : statements.x] in another file;
   [make] prints, for each, what its proof assumes.  Text: theorem.md, under the same labels.

   Setting: R any ordered field, V any vector space over R, N any seminorm on V, T any finite
   set of tokens, G any set of tokens (a cluster), A any row-stochastic matrix: [A j k] is the
   weight that token j (the query, the row) gives to token k.  [~: G] is everything outside G. *)
From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* ------------------------------------------------------------------ Tokens and one layer *)

Section Layer.
Context {R : realFieldType} {V : lmodType R} {T : finType}.

Definition seminorm (N : V -> R) : Prop :=
  (forall x y, N (x + y) <= N x + N y) /\ (forall (a : R) x, N (a *: x) = `|a| * N x).

Definition stochastic (A : T -> T -> R) : Prop :=
  (forall j k, 0 <= A j k) /\ (forall j, \sum_k A j k = 1).

(* One step of the simplified layer: token j becomes the mean of all tokens under row j. *)
Definition attend (A : T -> T -> R) (z : T -> V) (j : T) : V := \sum_k A j k *: z k.

(* The greatest distance between two tokens of G (0 if G has no token). *)
Definition diam (N : V -> R) (z : T -> V) (G : {set T}) : R :=
  \big[Num.max/0]_(j in G) \big[Num.max/0]_(k in G) N (z j - z k).

(* The weight that row j gives to the set S. *)
Definition mass (A : T -> T -> R) (j : T) (S : {set T}) : R := \sum_(k in S) A j k.

(* Every weight from G to outside G lies in [el, eu]. *)
Definition in_range (A : T -> T -> R) (G : {set T}) (el eu : R) : Prop :=
  0 <= el <= eu /\ forall j k, j \in G -> k \notin G -> el <= A j k <= eu.

(* The number of tokens outside G: the paper's A_m. *)
Definition outside (G : {set T}) : R := #|~: G|%:R.

End Layer.

(* ----------------------------------------- The bounds that know ranges and two diameters *)

Section Ranges.
Context {R : realFieldType}.
Implicit Types m el eu d D : R.

Definition x_lower m el : R := m * el.
Definition x_upper m eu : R := Num.min 1 (m * eu).

Definition sharp_value m el eu d D : R :=
  (1 - x_upper m eu) * d + (x_upper m eu - x_lower m el) * D.
Definition product_value m eu d D : R :=
  (1 - x_upper m eu) ^+ 2 * d + (1 - (1 - x_upper m eu) ^+ 2) * D.
Definition linear_value m el eu d D : R :=
  (1 - x_lower m el) ^+ 2 * d + 2%:R * (m * eu) * D.
(* Eq. (2) of the paper, its appendix; and eq. (1), its main text. *)
Definition paper_appendix_value m el eu d D : R :=
  (1 - m * el) ^+ 2 * d + m * eu * D * (m * eu + 2%:R).
Definition paper_main_value m el eu d D : R :=
  (1 - m * el) ^+ 2 * d + m * eu * D * (m * eu * D + 2%:R).

End Ranges.

(* ---------------------------------------- The bounds that know the matrix, two diameters *)

Section Matrix.
Context {R : realFieldType} {T : finType}.
Implicit Types (A : T -> T -> R) (G : {set T}).

(* The part of row j that exceeds row i, and the total variation between the two rows. *)
Definition excess A (j i k : T) : R := Num.max (A j k - A i k) 0.
Definition variation A (j i : T) : R := 2%:R^-1 * \sum_k `|A j k - A i k|.

Definition dobrushin_coefficient A : R := \big[Num.max/0]_j \big[Num.max/0]_i variation A j i.

(* The larger of the two one-sided differences, summed over the outside. *)
Definition outer_variation A G (j i : T) : R :=
  Num.max (\sum_(k in ~: G) excess A j i k) (\sum_(k in ~: G) excess A i j k).

Definition cluster_dobrushin_value A G (d D : R) : R :=
  \big[Num.max/0]_(j in G) \big[Num.max/0]_(i in G)
     ((variation A j i - outer_variation A G j i) * d + outer_variation A G j i * D).

Definition larger_outside A G (j i : T) : R := Num.max (mass A j (~: G)) (mass A i (~: G)).
Definition common_outside A G (j i : T) : R := \sum_(k in ~: G) Num.min (A j k) (A i k).

Definition overlap_value A G (d D : R) : R :=
  \big[Num.max/0]_(j in G) \big[Num.max/0]_(i in G)
     ((1 - larger_outside A G j i) * d + (larger_outside A G j i - common_outside A G j i) * D).

End Matrix.

(* =================================================================== Whole set of tokens *)

(* Theorem 3.1(i) of the paper. *)
Definition contraction : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V),
  seminorm N -> stochastic A ->
  diam N (attend A z) setT <= diam N z setT.

Definition dobrushin : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V),
  seminorm N -> stochastic A ->
  diam N (attend A z) setT <= dobrushin_coefficient A * diam N z setT.

(* Attained for every stochastic matrix, in every space that has a vector of norm 1. *)
Definition dobrushin_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) A (D : R),
  seminorm N -> N u = 1 -> stochastic A -> 0 <= D ->
  exists z : T -> V,
    diam N z setT <= D /\ diam N (attend A z) setT = dobrushin_coefficient A * D.

(* The coefficient is the best constant. *)
Definition dobrushin_best : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) A (c : R),
  seminorm N -> N u = 1 -> stochastic A -> 0 <= c ->
  (forall z : T -> V, diam N (attend A z) setT <= c * diam N z setT) ->
  dobrushin_coefficient A <= c.

Definition dobrushin_product : Prop :=
  forall (R : realFieldType) (T : finType) (A B : T -> T -> R),
  stochastic A -> stochastic B ->
  dobrushin_coefficient (fun j k => \sum_l A j l * B l k) <=
  dobrushin_coefficient A * dobrushin_coefficient B.

(* ============================================ One cluster: what the matrix itself implies *)

Definition cluster_dobrushin : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G,
  seminorm N -> stochastic A ->
  diam N (attend A z) G <= cluster_dobrushin_value A G (diam N z G) (diam N z setT).

Definition cluster_dobrushin_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) A G (d D : R),
  seminorm N -> N u = 1 -> stochastic A -> 0 <= d <= D ->
  exists z : T -> V,
    [/\ diam N z G <= d, diam N z setT <= D
      & diam N (attend A z) G = cluster_dobrushin_value A G d D].

(* For the set of all tokens it is the Dobrushin form. *)
Definition cluster_dobrushin_whole : Prop :=
  forall (R : realFieldType) (T : finType) (A : T -> T -> R) (d D : R),
  0 <= d -> cluster_dobrushin_value A setT d D = dobrushin_coefficient A * d.

Definition overlap : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G,
  seminorm N -> stochastic A ->
  diam N (attend A z) G <= overlap_value A G (diam N z G) (diam N z setT).

(* ================================================= One cluster: what the ranges imply *)

Definition sharp : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= sharp_value (outside G) el eu (diam N z G) (diam N z setT).

(* Attained for arbitrary (m, eps_l, eps_u, d, D): no function of these five can be smaller. *)
Definition sharp_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) (G : {set T}) (el eu d D : R),
  seminorm N -> N u = 1 -> (1 < #|G|)%N -> G != setT ->
  0 <= el <= eu -> outside G * el <= 1 -> 0 <= d <= D ->
  exists (A : T -> T -> R) (z : T -> V),
    [/\ stochastic A /\ in_range A G el eu, diam N z G = d, diam N z setT = D
      & diam N (attend A z) G = sharp_value (outside G) el eu d D].

Definition sharp_total : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= (1 - x_lower (outside G) el) * diam N z setT.

Definition product : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= product_value (outside G) eu (diam N z G) (diam N z setT).

Definition linear : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= linear_value (outside G) el eu (diam N z G) (diam N z setT).

(* The paper's eq. (2) and eq. (1), with <= and then with <. *)
Definition paper_appendix : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= paper_appendix_value (outside G) el eu (diam N z G) (diam N z setT).

Definition paper_main : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= paper_main_value (outside G) el eu (diam N z G) (diam N z setT).

Definition paper_appendix_strict : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  0 < diam N z setT -> 0 < outside G * eu ->
  diam N (attend A z) G < paper_appendix_value (outside G) el eu (diam N z G) (diam N z setT).

Definition paper_main_strict : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  0 < diam N z setT -> 0 < outside G * eu ->
  diam N (attend A z) G < paper_main_value (outside G) el eu (diam N z G) (diam N z setT).

(* Both conditions are needed.  All tokens equal: the paper's own hypotheses (strict bounds on
   the weights, here 0 < 1/2 < 1) hold for two tokens in two clusters, and both "<" fail. *)
Definition paper_strict_needs_spread : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R), seminorm N ->
  exists (A : bool -> bool -> R) (z : bool -> V) (G : {set bool}) (el eu : R),
    [/\ stochastic A,
        forall j k, (j \in G) != (k \in G) -> el < A j k < eu,
        ~~ (diam N (attend A z) G <
            paper_main_value (outside G) el eu (diam N z G) (diam N z setT))
      & ~~ (diam N (attend A z) G <
            paper_appendix_value (outside G) el eu (diam N z G) (diam N z setT))].

(* Nothing leaves the cluster: identity attention moves no token, so that neither is strict. *)
Definition paper_strict_needs_exchange : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) (z : T -> V) (G : {set T}),
  let A j k : R := (j == k)%:R in
  [/\ stochastic A, in_range A G 0 0,
      diam N (attend A z) G = paper_main_value (outside G) 0 0 (diam N z G) (diam N z setT)
    & diam N (attend A z) G = paper_appendix_value (outside G) 0 0 (diam N z G) (diam N z setT)].

(* Each rung lies below the next. *)
Definition ladder : Prop :=
  forall (R : realFieldType) (T : finType) (A : T -> T -> R) G el eu d D,
  stochastic A -> G != set0 -> in_range A G el eu -> 0 <= d <= D ->
  let m := outside G in
  [/\ cluster_dobrushin_value A G d D <= overlap_value A G d D,
      overlap_value A G d D <= sharp_value m el eu d D,
      sharp_value m el eu d D <= product_value m eu d D,
      product_value m eu d D <= linear_value m el eu d D
    & linear_value m el eu d D <=
      Num.min (paper_appendix_value m el eu d D) (paper_main_value m el eu d D)].

(* None of these four can ever certify that a cluster shrinks: they are never below d. *)
Definition product_never : Prop :=
  forall (R : realFieldType) (m eu d D : R),
  0 <= m * eu -> 0 <= d <= D -> d <= product_value m eu d D.
Definition linear_never : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 <= m -> 0 <= el <= eu -> 0 <= d <= D -> d <= linear_value m el eu d D.
Definition paper_appendix_never : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 <= m -> 0 <= el <= eu -> 0 <= d <= D -> d <= paper_appendix_value m el eu d D.
Definition paper_main_never : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 <= m -> 0 <= el <= eu -> 0 <= d <= D -> d <= paper_main_value m el eu d D.

(* When the sharp bound certifies; the same in one ratio; and nothing weaker would do. *)
Definition certificate : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  sharp_value m el eu d D < d <-> (x_upper m eu - x_lower m el) * D < x_upper m eu * d.

Definition certificate_ratio : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 < m -> 0 < eu -> 0 < D -> m * eu <= 1 ->
  sharp_value m el eu d D < d <-> 1 - el / eu < d / D.

Definition certificate_complete : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) (G : {set T}) (el eu d D : R),
  seminorm N -> N u = 1 -> (1 < #|G|)%N -> G != setT ->
  0 <= el <= eu -> outside G * el <= 1 -> 0 <= d <= D ->
  (forall (A : T -> T -> R) (z : T -> V), stochastic A -> in_range A G el eu ->
     diam N z G = d -> diam N z setT = D -> diam N (attend A z) G < d)
  <-> (x_upper (outside G) eu - x_lower (outside G) el) * D < x_upper (outside G) eu * d.

(* Over t layers with weights in one range. *)
Definition iteration : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType)
         (A : nat -> T -> T -> R) (z : nat -> T -> V) G el eu,
  seminorm N -> (forall t, stochastic (A t)) -> G != set0 -> (forall t, in_range (A t) G el eu) ->
  (forall t, z t.+1 = attend (A t) (z t)) ->
  let xl := x_lower (outside G) el in let xu := x_upper (outside G) eu in
  0 < xu -> forall t,
  diam N (z t) G <= (1 - xu) ^+ t * diam N (z 0%N) G
                    + (1 - (1 - xu) ^+ t) * (1 - xl / xu) * diam N (z 0%N) setT.

(* =============================================== Value matrices, heads, residual streams *)

Definition value_matrix : Prop :=
  forall (R : realFieldType) (V U : lmodType R) (N : V -> R) (M : U -> R) (W : {linear V -> U})
         (w : R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> seminorm M -> 0 <= w -> (forall x, M (W x) <= w * N x) ->
  stochastic A -> G != set0 -> in_range A G el eu ->
  diam M (attend A (fun k => W (z k))) G
    <= w * sharp_value (outside G) el eu (diam N z G) (diam N z setT).

(* Heads h with their own attention A_h and map W_h (values, then projection), summed. *)
Definition multi_head : Prop :=
  forall (R : realFieldType) (V U : lmodType R) (N : V -> R) (M : U -> R) (H : finType)
         (W : H -> {linear V -> U}) (w : H -> R) (T : finType) (A : H -> T -> T -> R)
         (z : T -> V) G (el eu : H -> R),
  seminorm N -> seminorm M -> (forall h, 0 <= w h) -> (forall h x, M (W h x) <= w h * N x) ->
  (forall h, stochastic (A h)) -> G != set0 -> (forall h, in_range (A h) G (el h) (eu h)) ->
  diam M (fun j => \sum_h attend (A h) (fun k => W h (z k)) j) G
    <= \sum_h w h * sharp_value (outside G) (el h) (eu h) (diam N z G) (diam N z setT).

Definition residual : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (W : {linear V -> V})
         (w : R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> 0 <= w -> (forall x, N (W x) <= w * N x) ->
  stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (fun j => z j + attend A (fun k => W (z k)) j) G
    <= diam N z G + w * sharp_value (outside G) el eu (diam N z G) (diam N z setT).

(* Equality for W = w times the identity: a residual layer promises no contraction. *)
Definition residual_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) (G : {set T}) (w el eu d D : R),
  seminorm N -> N u = 1 -> 0 <= w -> (1 < #|G|)%N -> G != setT ->
  0 <= el <= eu -> outside G * el <= 1 -> 0 <= d <= D ->
  exists (A : T -> T -> R) (z : T -> V),
    [/\ stochastic A /\ in_range A G el eu, diam N z G = d, diam N z setT = D
      & diam N (fun j => z j + attend A (fun k => w *: z k) j) G
        = d + w * sharp_value (outside G) el eu d D].

Definition convex : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G
         (a el eu : R),
  seminorm N -> 0 <= a <= 1 -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (fun j => (1 - a) *: z j + a *: attend A z j) G
    <= (1 - a * x_upper (outside G) eu) * diam N z G
       + a * (x_upper (outside G) eu - x_lower (outside G) el) * diam N z setT.

Definition convex_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) (G : {set T}) (a el eu d D : R),
  seminorm N -> N u = 1 -> 0 <= a <= 1 -> (1 < #|G|)%N -> G != setT ->
  0 <= el <= eu -> outside G * el <= 1 -> 0 <= d <= D ->
  exists (A : T -> T -> R) (z : T -> V),
    [/\ stochastic A /\ in_range A G el eu, diam N z G = d, diam N z setT = D
      & diam N (fun j => (1 - a) *: z j + a *: attend A z j) G
        = (1 - a * x_upper (outside G) eu) * d
          + a * (x_upper (outside G) eu - x_lower (outside G) el) * D].

(* ======================================================================= Transport *)

Section Plans.
Context {R : realFieldType} {X Y : finType}.

(* [pi] carries the weights p to the weights q. *)
Definition coupling (p : X -> R) (q : Y -> R) (pi : X -> Y -> R) : Prop :=
  [/\ forall k l, 0 <= pi k l,
      forall k, \sum_l pi k l = p k & forall l, \sum_k pi k l = q l].

Definition cost (pi C : X -> Y -> R) : R := \sum_k \sum_l pi k l * C k l.

(* The weights that cells receive, for c k the cell of token k. *)
Definition cells (c : X -> Y) (p : X -> R) (r : Y) : R := \sum_(k | c k == r) p k.

End Plans.

(* Any plan between the rows bounds the new distance by its cost. *)
Definition transport : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) j i pi,
  seminorm N -> coupling (A j) (A i) pi ->
  N (attend A z j - attend A z i) <= cost pi (fun k l => N (z k - z l)).

(* Any plan between what the cells receive from the two one-sided differences of the rows. *)
Definition block_transport : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T K : finType) A (z : T -> V)
         (c : T -> K) (C : K -> K -> R) j i pi,
  seminorm N -> stochastic A -> (forall k l, N (z k - z l) <= C (c k) (c l)) ->
  coupling (cells c (excess A j i)) (cells c (excess A i j)) pi ->
  N (attend A z j - attend A z i) <= cost pi C.

(* Finer cells are never worse: every plan between coarse cells comes from one between fine. *)
Definition block_transport_refine : Prop :=
  forall (R : realFieldType) (X K : finType) (p q : X -> R) (c : X -> K) (C : X -> X -> R)
         (E : K -> K -> R) pi,
  (forall k, 0 <= p k) -> (forall k, 0 <= q k) -> (forall k l, C k l <= E (c k) (c l)) ->
  coupling (cells c p) (cells c q) pi ->
  exists2 fine, coupling p q fine & cost fine C <= cost pi E.

(* Attained: let f, on two copies of each cell, change by at most C, and let a plan cost what f
   gains (such a pair exists by the duality of linear programs).  Then some tokens respect the
   table C and are moved apart by exactly that cost. *)
Definition block_transport_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T K : finType)
         (A : T -> T -> R) (c : T -> K) (C : K -> K -> R) j i pi (f : K -> bool -> R),
  seminorm N -> N u = 1 -> stochastic A ->
  coupling (cells c (excess A j i)) (cells c (excess A i j)) pi ->
  (forall r s a b, `|f r a - f s b| <= C r s) ->
  cost pi C = \sum_r (cells c (excess A j i) r * f r true - cells c (excess A i j) r * f r false) ->
  exists2 z : T -> V,
    forall k l, N (z k - z l) <= C (c k) (c l)
  & N (attend A z j - attend A z i) = cost pi C.

(* The plan that forgets: weights p and q of the two one-sided differences, independent. *)
Definition independent : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) j i,
  seminorm N -> stochastic A ->
  N (attend A z j - attend A z i)
    <= (\sum_k \sum_l excess A j i k * excess A i j l * N (z k - z l)) / variation A j i.

Definition star : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) j i (o : V),
  seminorm N -> stochastic A ->
  N (attend A z j - attend A z i) <= \sum_k `|A j k - A i k| * N (z k - o).

(* s k is the root of the weight of token k in the mean row, L the square of the norm of the map
   w |-> sum_k w_k s_k (z_k - o), o any centre. *)
Definition chi : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) j i (o : V)
         (s : T -> R) (L : R),
  seminorm N -> stochastic A -> (forall k, s k = 0 -> A j k = A i k) ->
  (forall w : T -> R, N (\sum_k (w k * s k) *: (z k - o)) ^+ 2 <= L * \sum_k w k ^+ 2) ->
  N (attend A z j - attend A z i) ^+ 2 <= L * \sum_k (A j k - A i k) ^+ 2 / s k ^+ 2.

(* Over depth: a table that the best (or any) plans carry from layer to layer bounds every level. *)
Definition block_recursion : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T K : finType)
         (A : nat -> T -> T -> R) (z : nat -> T -> V) (c : T -> K) (C : nat -> K -> K -> R) pi,
  seminorm N -> (forall t, stochastic (A t)) -> (forall t, z t.+1 = attend (A t) (z t)) ->
  (forall t j i, coupling (cells c (excess (A t) j i)) (cells c (excess (A t) i j)) (pi t j i)) ->
  (forall t j i, cost (pi t j i) (C t) <= C t.+1 (c j) (c i)) ->
  (forall k l, N (z 0%N k - z 0%N l) <= C 0%N (c k) (c l)) ->
  forall t k l, N (z t k - z t l) <= C t (c k) (c l).

(* Clusters c, their masses under the rows: what can stay inside cluster r is paid with its own
   diameter, only the rest with D. *)
Definition block_recursion_linear : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T K : finType) A (z : T -> V)
         (c : T -> K) j i,
  seminorm N -> stochastic A ->
  let P r := cells c (excess A j i) r in let Q r := cells c (excess A i j) r in
  N (attend A z j - attend A z i)
    <= \sum_r Num.min (P r) (Q r) * diam N z [set k | c k == r]
       + 2%:R^-1 * (\sum_r `|P r - Q r|) * diam N z setT.

(* ======================================================================= Separation *)

Section Hulls.
Context {R : realFieldType} {V : lmodType R} {T : finType}.

(* Weights of a point of the convex hull of the tokens of G. *)
Definition hull_weights (G : {set T}) (p : T -> R) : Prop :=
  [/\ forall k, 0 <= p k, forall k, k \notin G -> p k = 0 & \sum_k p k = 1].

(* The hulls of G and H are at least s apart. *)
Definition separated (N : V -> R) (z : T -> V) (G H : {set T}) (s : R) : Prop :=
  forall p q, hull_weights G p -> hull_weights H q ->
  s <= N (\sum_k p k *: z k - \sum_k q k *: z k).

End Hulls.

Definition separation : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) (G H : {set T})
         (s x y : R),
  seminorm N -> stochastic A -> 0 <= s -> separated N z G H s ->
  (forall j, j \in G -> mass A j (~: G) <= x) -> (forall i, i \in H -> mass A i (~: H) <= y) ->
  separated N (attend A z) G H ((1 - Num.min x y) * s - Num.max x y * diam N z setT).

(* Attained in the masses (x the larger of the two; else exchange G and H). *)
Definition separation_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) (G H : {set T}) (o : T)
         (s x y D : R),
  seminorm N -> N u = 1 -> G != set0 -> H != set0 -> [disjoint G & H] -> o \notin G :|: H ->
  0 <= s <= D -> 0 <= y <= x -> x <= 1 -> 0 <= (1 - y) * s - x * D ->
  exists (A : T -> T -> R) (z : T -> V),
    [/\ stochastic A /\ diam N z setT = D,
        (forall j, j \in G -> mass A j (~: G) = x) /\ (forall i, i \in H -> mass A i (~: H) = y),
        separated N z G H s
      & forall j i, j \in G -> i \in H ->
        N (attend A z j - attend A z i) = (1 - y) * s - x * D].

(* From the matrix: f is a functional that separates G and H by s (the nearest points of the
   hulls give one of norm 1), with spread at most D over all tokens. *)
Definition separation_dobrushin : Prop :=
  forall (R : realFieldType) (T : finType) (A : T -> T -> R) (f : T -> R) (G H : {set T}) (s D : R) j i,
  stochastic A -> j \in G -> i \in H -> 0 <= s ->
  (forall k l, k \in G -> l \in H -> s <= f k - f l) -> (forall k l, f k - f l <= D) ->
  let g := \sum_(k in G) excess A j i k in let h := \sum_(k in H) excess A i j k in
  s * Num.max g h + D * Num.min g h - D * variation A j i
    <= \sum_k A j k * f k - \sum_k A i k * f k.

(* The best possible given A, s and D. *)
Definition separation_dobrushin_attained : Prop :=
  forall (R : realFieldType) (T : finType) (A : T -> T -> R) (G H : {set T}) (s D : R) j i,
  stochastic A -> [disjoint G & H] -> 0 <= s <= D ->
  let g := \sum_(k in G) excess A j i k in let h := \sum_(k in H) excess A i j k in
  exists f : T -> R,
    [/\ forall k l, k \in G -> l \in H -> s <= f k - f l, forall k l, f k - f l <= D
      & \sum_k A j k * f k - \sum_k A i k * f k
        = s * Num.max g h + D * Num.min g h - D * variation A j i].

(* ================================================================ Softmax attention *)

(* Two rows whose odds differ at most r^2-fold: for softmax rows r = exp(omega / 2), omega the
   oscillation of the difference of their logits, and (r - 1) / (r + 1) = tanh(omega / 4). *)
Definition odds : Prop :=
  forall (R : realFieldType) (T : finType) (A : T -> T -> R) (r : R) j i,
  stochastic A -> 1 <= r ->
  (forall k l, A j k * A i l <= r ^+ 2 * (A j l * A i k)) ->
  variation A j i <= (r - 1) / (r + 1).

Definition odds_cluster : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) (G : {set T}) (r : R),
  seminorm N -> stochastic A -> 1 <= r ->
  (forall j i, j \in G -> i \in G -> forall k l, A j k * A i l <= r ^+ 2 * (A j l * A i k)) ->
  diam N (attend A z) G <= (r - 1) / (r + 1) * diam N z setT.

Section Softmax.
Context {R : realFieldType} {V : lmodType R} {T : finType}.
Implicit Types (e : R -> R) (z : T -> V).

(* What is used of the exponential (of any base above 1). *)
Definition exponential e : Prop :=
  [/\ e 0 = 1, forall x y, e (x + y) = e x * e y & forall x y, x <= y -> e x <= e y].

Definition tanh_of e (x : R) : R := (e (2%:R * x) - 1) / (e (2%:R * x) + 1).

(* Logits: a form of query and key, additive in both, of norm at most beta. *)
Definition logits (N : V -> R) (B : V -> V -> R) (beta : R) : Prop :=
  [/\ forall x x' y, B (x - x') y = B x y - B x' y,
      forall x y y', B x (y - y') = B x y - B x y'
    & forall x y, B x y <= beta * N x * N y].

Definition softmax e (B : V -> V -> R) z (j k : T) : R :=
  e (B (z j) (z k)) / \sum_i e (B (z j) (z i)).

(* How far apart two odds-bounded rows can be on a set to which one gives y; E = exp(- omega). *)
Definition phi (E y : R) : R := y * (1 - y) * (1 - E) / (1 - y + y * E).

End Softmax.

Definition cluster_cubic : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) (e : R -> R)
         (B : V -> V -> R) (beta : R) (z : T -> V) (G : {set T}),
  seminorm N -> exponential e -> 0 <= beta -> logits N B beta ->
  let d := diam N z G in let D := diam N z setT in
  diam N (attend (softmax e B z) z) G <= tanh_of e (beta * d * D / 4%:R) * D.

(* The second inequality needs tanh x <= x, which the natural base gives. *)
Definition cubic : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) (e : R -> R)
         (B : V -> V -> R) (beta : R) (z : T -> V),
  seminorm N -> exponential e -> 0 <= beta -> logits N B beta ->
  let D := diam N z setT in let new := diam N (attend (softmax e B z) z) setT in
  new <= tanh_of e (beta * D ^+ 2 / 4%:R) * D /\
  ((forall x, 0 <= x -> tanh_of e x <= x) -> new <= beta / 4%:R * D ^+ 3).

(* Attained by two antipodal tokens on a line, for every beta and every distance 2 b. *)
Definition cubic_attained : Prop :=
  forall (R : realFieldType) (e : R -> R) (beta b : R),
  exponential e -> 0 <= beta -> 0 <= b ->
  let N (x : R^o) : R := `|x : R| in
  let B (x y : R^o) : R := beta * x * y in
  let z (k : bool) : R^o := if k then b else - b in
  let D := diam N z setT in
  [/\ logits N B beta, D = 2%:R * b
    & diam N (attend (softmax e B z) z) setT = tanh_of e (beta * D ^+ 2 / 4%:R) * D].

(* x: no row of G gives more than x away. *)
Definition softmax_cluster : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) (e : R -> R)
         (B : V -> V -> R) (beta x : R) (z : T -> V) (G : {set T}),
  seminorm N -> exponential e -> 0 <= beta -> logits N B beta -> G != set0 ->
  (forall j, j \in G -> mass (softmax e B z) j (~: G) <= x) ->
  let d := diam N z G in let D := diam N z setT in let omega := beta * d * D in
  let peak := tanh_of e (omega / 4%:R) in
  diam N (attend (softmax e B z) z) G
    <= peak * d + (if x <= 1 / (1 + e (- (omega / 2%:R))) then phi (e (- omega)) x else peak) * (D - d).

(* ======================================================================= Neurons *)

Section Neurons.
Context {R : realFieldType} {W : lmodType R} {P T : finType}.

(* The views of section 3.1.2, literally.  P: patches; T: tokens, of which [tok p] stands for
   patch p and the others are prefix tokens; y p: the filter times patch p; a picture maps each
   patch to its pixels W.  Level 0 (patches only): y p placed at p in a picture of zeros.
   Level 1: level 0 weighted by attention, prefix tokens left out.  Above: weighted sums. *)
Definition view0 (y : P -> W) (p : P) : P -> W := fun r => if r == p then y p else 0.

Fixpoint view (tok : P -> T) (A : nat -> T -> T -> R) (y : P -> W) (l : nat) (i : T) : P -> W :=
  if l is l'.+1 then fun r => \sum_k A l i k *: view tok A y l' k r
  else fun r => \sum_p A 0%N i (tok p) *: view0 y p r.

(* R_1 = A_1 without the prefix columns, R_(l+1) = A_(l+1) R_l (blocks counted from 0 here). *)
Fixpoint rollout (tok : P -> T) (A : nat -> T -> T -> R) (l : nat) (i : T) (p : P) : R :=
  if l is l'.+1 then \sum_k A l i k * rollout tok A l' k p else A 0%N i (tok p).

End Neurons.

Definition neurons : Prop :=
  forall (R : realFieldType) (W : lmodType R) (P T : finType) (tok : P -> T)
         (A : nat -> T -> T -> R) (y : P -> W) l i p,
  view tok A y l i p = rollout tok A l i p *: y p.

(* Rows of the roll-out sum to 1 minus what prefix tokens took at block 1, carried up. *)
Definition neurons_mass : Prop :=
  forall (R : realFieldType) (P T : finType) (tok : P -> T) (A : nat -> T -> T -> R) l i,
  injective tok -> (forall t, stochastic (A t)) ->
  let taken j : R := mass (A 0%N) j (~: [set tok p | p in P]) in
  let lost := fix lost t j := if t is t'.+1 then \sum_k A t j k * lost t' k else taken j in
  \sum_p rollout tok A l i p = 1 - lost l i.
