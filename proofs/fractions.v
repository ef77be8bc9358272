(* Binary fractions as numbers of any ordered field: sums, products, maxima, all computed. *)
From Coq Require Import ZArith QArith Qreduction Lia.
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Import statements scalars transport upper.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* ------------------------------------------------------------ Fractions as numbers of R *)

Definition frac (n : Z) (d : positive) : Q := Qmake n d.

Section Number.
Variable R : realFieldType.

Definition of_Z (n : Z) : R := (Z.to_nat n)%:R - (Z.to_nat (Z.opp n))%:R.
Definition of_Q (x : Q) : R := of_Z (Qnum x) / (Pos.to_nat (Qden x))%:R.

Lemma of_Z_nat (a b : nat) (n : Z) : n = Z.sub (Z.of_nat a) (Z.of_nat b) -> of_Z n = a%:R - b%:R.
Proof.
move=> e; apply/eqP; rewrite subr_eq addrAC eq_sym subr_eq -!natrD; apply/eqP; congr _%:R.
by rewrite -!plusE; lia.
Qed.

Lemma of_Z_add m n : of_Z (Z.add m n) = of_Z m + of_Z n.
Proof.
rewrite (@of_Z_nat (Z.to_nat m + Z.to_nat n)%N (Z.to_nat (Z.opp m) + Z.to_nat (Z.opp n))%N); last by rewrite -!plusE; lia.
by rewrite !natrD opprD addrACA.
Qed.

Lemma of_Z_opp n : of_Z (Z.opp n) = - of_Z n.
Proof. by rewrite /of_Z Z.opp_involutive opprB. Qed.

Lemma of_Z_pos p : of_Z (Zpos p) = (Pos.to_nat p)%:R.
Proof. by rewrite (@of_Z_nat (Pos.to_nat p) 0) ?subr0 //; lia. Qed.

Lemma of_Z_mul m n : of_Z (Z.mul m n) = of_Z m * of_Z n.
Proof.
have z0 : of_Z Z0 = 0 by rewrite /of_Z subrr.
have pp p q : of_Z (Zpos (Pos.mul p q)) = of_Z (Zpos p) * of_Z (Zpos q).
  by rewrite !of_Z_pos Pos2Nat.inj_mul multE natrM.
case: m n => [|p|p] [|q|q] /=; rewrite ?z0 ?mul0r ?mulr0 //.
- by rewrite -[Zneg q]/(Z.opp (Zpos q)) -[Zneg _]/(Z.opp (Zpos (Pos.mul p q))) !of_Z_opp pp mulrN.
- by rewrite -[Zneg p]/(Z.opp (Zpos p)) -[Zneg _]/(Z.opp (Zpos (Pos.mul p q))) !of_Z_opp pp mulNr.
- by rewrite -[Zneg p]/(Z.opp (Zpos p)) -[Zneg q]/(Z.opp (Zpos q)) !of_Z_opp pp mulrNN.
Qed.

Lemma of_Z_ge0 n : (0 <= of_Z n) = Z.leb 0 n.
Proof.
case: n => [|p|p]; first by rewrite /of_Z subrr lexx.
  by rewrite of_Z_pos ler0n.
rewrite -[Zneg p]/(Z.opp (Zpos p)) of_Z_opp of_Z_pos oppr_ge0 lern0.
by apply/eqP => e; have := Pos2Nat.is_pos p; rewrite e; lia.
Qed.

Lemma of_Z_le m n : (of_Z m <= of_Z n) = Z.leb m n.
Proof.
rewrite -subr_ge0 -of_Z_opp -of_Z_add of_Z_ge0.
by apply/idP/idP => /Z.leb_le h; apply/Z.leb_le; lia.
Qed.

Lemma den_gt0 p : 0 < (Pos.to_nat p)%:R :> R.
Proof. by rewrite ltr0n; apply/ssrnat.ltP; exact: Pos2Nat.is_pos. Qed.

Lemma den_neq0 p : (Pos.to_nat p)%:R != 0 :> R. Proof. exact: lt0r_neq0 (den_gt0 p). Qed.

Lemma of_Q_le x y : (of_Q x <= of_Q y) = Qle_bool x y.
Proof.
rewrite /of_Q /Qle_bool ler_pdivr_mulr ?den_gt0 // mulrAC ler_pdivl_mulr ?den_gt0 //.
by rewrite -!of_Z_pos -!of_Z_mul of_Z_le.
Qed.

Lemma of_Q_eq x y : Qeq x y -> of_Q x = of_Q y.
Proof.
move=> e; apply/eqP; rewrite eq_le !of_Q_le; apply/andP.
by split; apply/Qle_bool_iff; rewrite e; exact: Qle_refl.
Qed.

Definition add x y := Qred (Qplus x y).
Definition mul x y := Qred (Qmult x y).
Definition opp x := Qred (Qopp x).
Definition maxq x y := if Qle_bool x y then y else x.
Definition minq x y := if Qle_bool x y then x else y.
Definition sub x y := add x (opp y).
Definition absq x := maxq x (opp x).

Lemma of_add x y : of_Q (add x y) = of_Q x + of_Q y.
Proof.
rewrite (of_Q_eq (Qred_correct _)) /of_Q /Qplus /= Pos2Nat.inj_mul multE natrM.
rewrite of_Z_add !of_Z_mul !of_Z_pos.
by rewrite addf_div ?den_neq0.
Qed.

Lemma of_mul x y : of_Q (mul x y) = of_Q x * of_Q y.
Proof.
rewrite (of_Q_eq (Qred_correct _)) /of_Q /Qmult /= Pos2Nat.inj_mul multE natrM of_Z_mul.
by rewrite mulf_div.
Qed.

Lemma of_opp x : of_Q (opp x) = - of_Q x.
Proof. by rewrite (of_Q_eq (Qred_correct _)) /of_Q /= of_Z_opp mulNr. Qed.

Lemma of_sub x y : of_Q (sub x y) = of_Q x - of_Q y. Proof. by rewrite of_add of_opp. Qed.

Lemma of_max x y : of_Q (maxq x y) = Num.max (of_Q x) (of_Q y).
Proof.
rewrite /maxq -of_Q_le; case: (leP (of_Q x) (of_Q y)) => h.
  by [].
by [].
Qed.

Lemma of_min x y : of_Q (minq x y) = Num.min (of_Q x) (of_Q y).
Proof. by rewrite /minq -of_Q_le; case: (leP (of_Q x) (of_Q y)). Qed.

Lemma of_abs x : of_Q (absq x) = `|of_Q x|.
Proof.
rewrite /absq of_max of_opp; case/orP: (le_total 0 (of_Q x)) => h.
  by rewrite ger0_norm //; apply/max_idPl; apply: (le_trans _ (h)); rewrite oppr_le0.
by rewrite ler0_norm //; apply/max_idPr; apply: (le_trans h); rewrite oppr_ge0.
Qed.

Lemma of_nat n : of_Q (frac (Z.of_nat n) 1) = n%:R.
Proof.
rewrite /of_Q /= (@of_Z_nat n 0) ?subr0 //; last by rewrite Z.sub_0_r.
by rewrite Pos2Nat.inj_1 divr1.
Qed.

Lemma of_0 : of_Q (frac 0 1) = 0. Proof. exact: (of_nat 0). Qed.
Lemma of_1 : of_Q (frac 1 1) = 1. Proof. exact: (of_nat 1). Qed.
Lemma of_2 : of_Q (frac 2 1) = 2%:R. Proof. exact: (of_nat 2). Qed.

(* ---------------------------------------------------------- Sums and maxima over lists *)

Definition fold (op : Q -> Q -> Q) (unit : Q) (n : nat) (P : nat -> bool) (F : nat -> Q) : Q :=
  foldr (fun i acc => if P i then op (F i) acc else acc) unit (iota 0 n).

Lemma of_fold (op : Q -> Q -> Q) (rop : R -> R -> R) unit n (P : nat -> bool) (F : nat -> Q) :
  (forall x y, of_Q (op x y) = rop (of_Q x) (of_Q y)) ->
  \big[rop/of_Q unit]_(i < n | P i) of_Q (F i) = of_Q (fold op unit n P F).
Proof.
move=> h; rewrite -(big_mkord P (fun i => of_Q (F i))) /index_iota subn0 /fold.
elim: (iota 0 n) => [|i s IH] /=; first by rewrite big_nil.
by rewrite big_cons IH; case: (P i); rewrite ?h.
Qed.

Definition all_tokens (i : nat) := true.
Definition total n (P : nat -> bool) (F : nat -> Q) := fold add (frac 0 1) n P F.
Definition greatest n (P : nat -> bool) (F : nat -> Q) := fold maxq (frac 0 1) n P F.
Definition least n (P : nat -> bool) (F : nat -> Q) := fold minq (frac 1 1) n P F.

Lemma of_total n (P : nat -> bool) (F : nat -> Q) : \sum_(i < n | P i) of_Q (F i) = of_Q (total n P F).
Proof. by have := @of_fold add +%R (frac 0 1) n P F of_add; rewrite of_0. Qed.
Lemma of_greatest n (P : nat -> bool) (F : nat -> Q) : \big[Num.max/0]_(i < n | P i) of_Q (F i) = of_Q (greatest n P F).
Proof. by have := @of_fold maxq Num.max (frac 0 1) n P F of_max; rewrite of_0. Qed.
Lemma of_least n (P : nat -> bool) (F : nat -> Q) : \big[Num.min/1]_(i < n | P i) of_Q (F i) = of_Q (least n P F).
Proof. by have := @of_fold minq Num.min (frac 1 1) n P F of_min; rewrite of_1. Qed.

Lemma of_total_all n (F : nat -> Q) : \sum_(i < n) of_Q (F i) = of_Q (total n all_tokens F).
Proof. by rewrite -of_total. Qed.
Lemma of_greatest_all n (F : nat -> Q) :
  \big[Num.max/0]_(i < n) of_Q (F i) = of_Q (greatest n all_tokens F).
Proof. by rewrite -of_greatest. Qed.

End Number.
