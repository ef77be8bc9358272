(* Every statement of the ladder, and nothing else: read this file and its vocabulary,
   definitions.v, not the proofs.

   Each [Definition x : Prop] below is proved by a [Theorem x : statements.x] in another file;
   [make] prints, for each, what its proof assumes.  Text: theorem.md, under the same labels. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Export definitions.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* =================================================================== Whole set of tokens *)

(* Theorem 3.1(i) of the paper. *)
Definition contraction : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V),
  seminorm N -> stochastic A -> diam N (attend A z) setT <= diam N z setT.

Definition dobrushin : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V),
  seminorm N -> stochastic A -> diam N (attend A z) setT <= dobrushin_coefficient A * diam N z setT.

(* Attained for every stochastic matrix, in every space that has a vector of norm 1. *)
Definition dobrushin_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) A (D : R),
  seminorm N -> N u = 1 -> stochastic A -> 0 <= D ->
  exists z : T -> V, diam N z setT <= D /\ diam N (attend A z) setT = dobrushin_coefficient A * D.

(* The coefficient is the best constant. *)
Definition dobrushin_best : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) A (c : R),
  seminorm N -> N u = 1 -> stochastic A -> 0 <= c ->
  (forall z : T -> V, diam N (attend A z) setT <= c * diam N z setT) ->
  dobrushin_coefficient A <= c.

Definition dobrushin_product : Prop :=
  forall (R : realFieldType) (T : finType) (A B : T -> T -> R),
  stochastic A -> stochastic B -> dobrushin_coefficient (fun j k => \sum_l A j l * B l k)
    <= dobrushin_coefficient A * dobrushin_coefficient B.

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

Definition sharp : Prop := every_layer (fun R => @sharp_value R).

(* Attained for arbitrary (m, eps_l, eps_u, d, D): no function of these five can be smaller. *)
Definition sharp_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) G (el eu d D : R),
  arbitrary_numbers N u (G : {set T}) el eu d D ->
  reached (fun A z => diam N (attend A z) G) N G el eu d D (sharp_value (outside G) el eu d D).

Definition sharp_total : Prop := every_layer (fun R m el eu d D => (1 - x_lower m el) * D).
Definition product : Prop := every_layer (fun R m el eu d D => product_value m eu d D).
Definition linear : Prop := every_layer (fun R => @linear_value R).

(* The paper's eq. (2) and eq. (1), with <= and then with <. *)
Definition paper_appendix : Prop := every_layer (fun R => @paper_appendix_value R).
Definition paper_main : Prop := every_layer (fun R => @paper_main_value R).

Definition paper_appendix_strict : Prop := every_layer_strictly (fun R => @paper_appendix_value R).
Definition paper_main_strict : Prop := every_layer_strictly (fun R => @paper_main_value R).

(* Both conditions are needed.  All tokens equal: the paper's own hypotheses (strict bounds on
   the weights, here 0 < 1/2 < 1) hold for two tokens in two clusters, and both "<" fail. *)
Definition paper_strict_needs_spread : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R), seminorm N ->
  exists (A : bool -> bool -> R) (z : bool -> V) (G : {set bool}) (el eu : R),
    [/\ stochastic A, forall j k, (j \in G) != (k \in G) -> el < A j k < eu,
        ~~ (diam N (attend A z) G < paper_main_value (outside G) el eu (diam N z G) (diam N z setT))
      & ~~ (diam N (attend A z) G < paper_appendix_value (outside G) el eu (diam N z G) (diam N z setT))].

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
      overlap_value A G d D <= sharp_value m el eu d D, sharp_value m el eu d D <= product_value m eu d D,
      product_value m eu d D <= linear_value m el eu d D
    & linear_value m el eu d D <=
      Num.min (paper_appendix_value m el eu d D) (paper_main_value m el eu d D)].

(* None of these four can ever certify that a cluster shrinks: they are never below d. *)
Definition product_never : Prop :=
  forall (R : realFieldType) (m eu d D : R),
  0 <= m * eu -> 0 <= d <= D -> d <= product_value m eu d D.
Definition linear_never : Prop := never_certifies (fun R => @linear_value R).
Definition paper_appendix_never : Prop := never_certifies (fun R => @paper_appendix_value R).
Definition paper_main_never : Prop := never_certifies (fun R => @paper_main_value R).

(* When the sharp bound certifies; the same in one ratio; and nothing weaker would do. *)
Definition certificate : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  sharp_value m el eu d D < d <-> (x_upper m eu - x_lower m el) * D < x_upper m eu * d.

Definition certificate_ratio : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 < m -> 0 < eu -> 0 < D -> m * eu <= 1 ->
  sharp_value m el eu d D < d <-> 1 - el / eu < d / D.

Definition certificate_complete : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) G (el eu d D : R),
  arbitrary_numbers N u (G : {set T}) el eu d D ->
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

(* Equality for W = w times the identity. *)
Definition value_matrix_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) G (w el eu d D : R),
  0 <= w -> arbitrary_numbers N u (G : {set T}) el eu d D ->
  reached (fun A z => diam N (attend A (fun k => w *: z k)) G) N G el eu d D
    (w * sharp_value (outside G) el eu d D).

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
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) G (w el eu d D : R),
  0 <= w -> arbitrary_numbers N u (G : {set T}) el eu d D ->
  reached (fun A z => diam N (fun j => z j + attend A (fun k => w *: z k) j) G) N G el eu d D
    (d + w * sharp_value (outside G) el eu d D).

Definition convex : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G
         (a el eu : R),
  seminorm N -> 0 <= a <= 1 -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (fun j => (1 - a) *: z j + a *: attend A z j) G
    <= (1 - a * x_upper (outside G) eu) * diam N z G
       + a * (x_upper (outside G) eu - x_lower (outside G) el) * diam N z setT.

Definition convex_attained : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType) G (a el eu d D : R),
  0 <= a <= 1 -> arbitrary_numbers N u (G : {set T}) el eu d D ->
  reached (fun A z => diam N (fun j => (1 - a) *: z j + a *: attend A z j) G) N G el eu d D
    ((1 - a * x_upper (outside G) eu) * d
     + a * (x_upper (outside G) eu - x_lower (outside G) el) * D).

(* ======================================================================= Transport *)

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
