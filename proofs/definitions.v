(* The vocabulary of statements.v.

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

(* ------------------------------------------------------------ Shapes of statements *)

(* What is true of every layer whose weights from G to outside lie in [el, eu]: the new diameter of G
   is at most a function of the number m of tokens outside, the range, and the two diameters. *)
Definition every_layer (bound : forall R : realFieldType, R -> R -> R -> R -> R -> R) : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  diam N (attend A z) G <= bound R (outside G) el eu (diam N z G) (diam N z setT).

Definition every_layer_strictly (bound : forall R : realFieldType, R -> R -> R -> R -> R -> R) : Prop :=
  forall (R : realFieldType) (V : lmodType R) (N : V -> R) (T : finType) A (z : T -> V) G el eu,
  seminorm N -> stochastic A -> G != set0 -> in_range A G el eu ->
  0 < diam N z setT -> 0 < outside G * eu ->
  diam N (attend A z) G < bound R (outside G) el eu (diam N z G) (diam N z setT).

Definition never_certifies (bound : forall R : realFieldType, R -> R -> R -> R -> R -> R) : Prop :=
  forall (R : realFieldType) (m el eu d D : R),
  0 <= m -> 0 <= el <= eu -> 0 <= d <= D -> d <= bound R m el eu d D.

(* At least two tokens in G, one outside, and any range and diameters that a layer can have; u has
   length 1.  A value is reached if some layer with these numbers gives it. *)
Definition arbitrary_numbers (R : realFieldType) (V : lmodType R) (N : V -> R) (u : V) (T : finType)
    (G : {set T}) (el eu d D : R) : Prop :=
  [/\ seminorm N /\ N u = 1, (1 < #|G|)%N /\ G != setT, 0 <= el <= eu, outside G * el <= 1 & 0 <= d <= D].
Definition reached (R : realFieldType) (V : lmodType R) (T : finType)
    (new : (T -> T -> R) -> (T -> V) -> R) (N : V -> R) (G : {set T}) (el eu d D value : R) : Prop :=
  exists (A : T -> T -> R) (z : T -> V),
    [/\ stochastic A /\ in_range A G el eu, diam N z G = d, diam N z setT = D & new A z = value].

(* ---------------------------------------------------------------------- Plans *)

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

(* ---------------------------------------------------------------------- Hulls *)

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

(* ---------------------------------------------------------------------- Softmax *)

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

(* ---------------------------------------------------------------------- Neurons *)

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
