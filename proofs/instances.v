(* Written by instances.py: do not edit. *)
From Coq Require Import ZArith QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Import statements fractions evaluate.

Lemma instance_01 : @agrees 5 1
  (* rows *) [:: [:: frac 3 5; frac 0 1; frac 0 1; frac 1 5; frac 1 5];
      [:: frac 0 1; frac 4 5; frac 0 1; frac 1 10; frac 1 10];
      [:: frac 0 1; frac 4 5; frac 0 1; frac 1 10; frac 1 10];
      [:: frac 0 1; frac 4 5; frac 0 1; frac 1 10; frac 1 10];
      [:: frac 0 1; frac 4 5; frac 0 1; frac 1 10; frac 1 10]]
  (* tokens *) [:: [:: frac 1 1];
      [:: frac 0 1];
      [:: frac 0 1];
      [:: frac 3 1];
      [:: frac 3 1]]
  (* in the cluster *) [:: true; true; true; false; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 1 1;
    all_diameter := frac 3 1;
    next_cluster_diameter := frac 6 5;
    next_all_diameter := frac 6 5;
    outside_tokens := frac 2 1;
    eps_lower := frac 1 10;
    eps_upper := frac 1 5;
    coefficient := frac 4 5;
    cluster_dobrushin_is := frac 6 5;
    overlap_is := frac 6 5;
    sharp_is := frac 6 5;
    product_is := frac 57 25;
    linear_is := frac 76 25;
    paper_appendix_is := frac 88 25;
    paper_main_is := frac 112 25 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_02 : @agrees 4 2
  (* rows *) [:: [:: frac 1 10; frac 0 1; frac 4 5; frac 1 10];
      [:: frac 3 10; frac 3 10; frac 1 5; frac 1 5];
      [:: frac 0 1; frac 9 10; frac 1 10; frac 0 1];
      [:: frac 2 5; frac 1 10; frac 0 1; frac 1 2]]
  (* tokens *) [:: [:: frac 0 1; frac 1 2];
      [:: frac 1 1; frac 3 2];
      [:: frac (-2) 1; frac 0 1];
      [:: frac 2 1; frac (-5) 2]]
  (* in the cluster *) [:: true; true; false; false]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 2 1;
    all_diameter := frac 13 2;
    next_cluster_diameter := frac 2 1;
    next_all_diameter := frac 73 20;
    outside_tokens := frac 2 1;
    eps_lower := frac 1 10;
    eps_upper := frac 4 5;
    coefficient := frac 9 10;
    cluster_dobrushin_is := frac 39 10;
    overlap_is := frac 41 10;
    sharp_is := frac 26 5;
    product_is := frac 13 2;
    linear_is := frac 552 25;
    paper_appendix_is := frac 968 25;
    paper_main_is := frac 3256 25 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_03 : @agrees 3 3
  (* rows *) [:: [:: frac 6 19; frac 7 19; frac 6 19];
      [:: frac 0 1; frac 1 2; frac 1 2];
      [:: frac 1 5; frac 3 5; frac 1 5]]
  (* tokens *) [:: [:: frac (-6) 1; frac 3 1; frac 0 1];
      [:: frac 7 1; frac 5 2; frac (-2) 1];
      [:: frac 6 1; frac (-2) 1; frac (-12) 1]]
  (* in the cluster *) [:: true; true; false]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 31 2;
    all_diameter := frac 29 1;
    next_cluster_diameter := frac 561 76;
    next_all_diameter := frac 561 76;
    outside_tokens := frac 1 1;
    eps_lower := frac 6 19;
    eps_upper := frac 1 2;
    coefficient := frac 6 19;
    cluster_dobrushin_is := frac 561 76;
    overlap_is := frac 995 76;
    sharp_is := frac 995 76;
    product_is := frac 205 8;
    linear_is := frac 26177 722;
    paper_appendix_is := frac 62823 1444;
    paper_main_is := frac 355955 1444 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_04 : @agrees 3 1
  (* rows *) [:: [:: frac 0 1; frac 1 3; frac 2 3];
      [:: frac 1 14; frac 5 14; frac 4 7];
      [:: frac 1 2; frac 3 8; frac 1 8]]
  (* tokens *) [:: [:: frac 7 1];
      [:: frac 3 1];
      [:: frac 1 4]]
  (* in the cluster *) [:: false; true; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 11 4;
    all_diameter := frac 27 4;
    next_cluster_diameter := frac 659 224;
    next_all_diameter := frac 335 96;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 14;
    eps_upper := frac 1 2;
    coefficient := frac 13 24;
    cluster_dobrushin_is := frac 659 224;
    overlap_is := frac 239 56;
    sharp_is := frac 239 56;
    product_is := frac 23 4;
    linear_is := frac 7151 784;
    paper_appendix_is := frac 4237 392;
    paper_main_is := frac 64325 3136 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_05 : @agrees 3 3
  (* rows *) [:: [:: frac 5 8; frac 1 8; frac 1 4];
      [:: frac 2 7; frac 5 14; frac 5 14];
      [:: frac 4 11; frac 3 11; frac 4 11]]
  (* tokens *) [:: [:: frac 5 2; frac (-3) 2; frac 5 4];
      [:: frac 0 1; frac (-5) 2; frac 1 1];
      [:: frac 11 1; frac 9 1; frac (-7) 1]]
  (* in the cluster *) [:: true; true; false]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 15 4;
    all_diameter := frac 61 2;
    next_cluster_diameter := frac 485 224;
    next_all_diameter := frac 921 352;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 4;
    eps_upper := frac 5 14;
    coefficient := frac 19 56;
    cluster_dobrushin_is := frac 927 224;
    overlap_is := frac 159 28;
    sharp_is := frac 159 28;
    product_is := frac 15245 784;
    linear_is := frac 10705 448;
    paper_appendix_is := frac 87135 3136;
    paper_main_is := frac 447035 3136 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_06 : @agrees 3 2
  (* rows *) [:: [:: frac 0 1; frac 5 9; frac 4 9];
      [:: frac 1 2; frac 1 2; frac 0 1];
      [:: frac 1 2; frac 0 1; frac 1 2]]
  (* tokens *) [:: [:: frac (-5) 3; frac (-2) 1];
      [:: frac (-3) 1; frac (-6) 1];
      [:: frac 8 3; frac (-2) 1]]
  (* in the cluster *) [:: false; true; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 17 3;
    all_diameter := frac 17 3;
    next_cluster_diameter := frac 17 6;
    next_all_diameter := frac 17 6;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 2;
    eps_upper := frac 1 2;
    coefficient := frac 5 9;
    cluster_dobrushin_is := frac 17 6;
    overlap_is := frac 17 6;
    sharp_is := frac 17 6;
    product_is := frac 17 3;
    linear_is := frac 85 12;
    paper_appendix_is := frac 17 2;
    paper_main_is := frac 136 9 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_07 : @agrees 5 2
  (* rows *) [:: [:: frac 1 5; frac 3 25; frac 6 25; frac 1 5; frac 6 25];
      [:: frac 7 22; frac 5 22; frac 2 11; frac 0 1; frac 3 11];
      [:: frac 1 6; frac 1 2; frac 1 18; frac 5 18; frac 0 1];
      [:: frac 1 16; frac 0 1; frac 1 8; frac 7 16; frac 3 8];
      [:: frac 1 17; frac 3 17; frac 9 17; frac 0 1; frac 4 17]]
  (* tokens *) [:: [:: frac (-7) 4; frac (-7) 1];
      [:: frac (-2) 1; frac (-4) 1];
      [:: frac (-12) 1; frac (-3) 1];
      [:: frac (-7) 2; frac (-1) 1];
      [:: frac (-3) 1; frac (-7) 2]]
  (* in the cluster *) [:: true; true; true; false; false]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 57 4;
    all_diameter := frac 57 4;
    next_cluster_diameter := frac 139 66;
    next_all_diameter := frac 5711 1224;
    outside_tokens := frac 2 1;
    eps_lower := frac 0 1;
    eps_upper := frac 5 18;
    coefficient := frac 217 306;
    cluster_dobrushin_is := frac 2071 264;
    overlap_is := frac 57 4;
    sharp_is := frac 57 4;
    product_is := frac 57 4;
    linear_is := frac 361 12;
    paper_appendix_is := frac 931 27;
    paper_main_is := frac 13357 144 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_08 : @agrees 5 1
  (* rows *) [:: [:: frac 1 3; frac 1 2; frac 1 6; frac 0 1; frac 0 1];
      [:: frac 1 21; frac 1 3; frac 4 21; frac 1 7; frac 2 7];
      [:: frac 5 18; frac 1 9; frac 1 9; frac 1 3; frac 1 6];
      [:: frac 2 21; frac 1 7; frac 2 7; frac 1 21; frac 3 7];
      [:: frac 2 9; frac 1 9; frac 1 3; frac 4 27; frac 5 27]]
  (* tokens *) [:: [:: frac 9 1];
      [:: frac 1 3];
      [:: frac (-10) 3];
      [:: frac 1 3];
      [:: frac 2 1]]
  (* in the cluster *) [:: true; false; true; false; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 37 3;
    all_diameter := frac 37 3;
    next_cluster_diameter := frac 0 1;
    next_all_diameter := frac 263 126;
    outside_tokens := frac 3 1;
    eps_lower := frac 0 1;
    eps_upper := frac 1 2;
    coefficient := frac 25 42;
    cluster_dobrushin_is := frac 37 6;
    overlap_is := frac 296 27;
    sharp_is := frac 37 3;
    product_is := frac 37 3;
    linear_is := frac 148 3;
    paper_appendix_is := frac 925 12;
    paper_main_is := frac 4699 12 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_09 : @agrees 4 1
  (* rows *) [:: [:: frac 4 9; frac 5 9; frac 0 1; frac 0 1];
      [:: frac 3 7; frac 3 7; frac 0 1; frac 1 7];
      [:: frac 7 12; frac 0 1; frac 1 3; frac 1 12];
      [:: frac 0 1; frac 0 1; frac 3 10; frac 7 10]]
  (* tokens *) [:: [:: frac (-11) 1];
      [:: frac (-5) 1];
      [:: frac 3 2];
      [:: frac (-11) 2]]
  (* in the cluster *) [:: false; true; false; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 1 2;
    all_diameter := frac 25 2;
    next_cluster_diameter := frac 297 70;
    next_all_diameter := frac 64 15;
    outside_tokens := frac 2 1;
    eps_lower := frac 0 1;
    eps_upper := frac 3 7;
    coefficient := frac 1 1;
    cluster_dobrushin_is := frac 39 7;
    overlap_is := frac 79 14;
    sharp_is := frac 151 14;
    product_is := frac 1201 98;
    linear_is := frac 307 14;
    paper_appendix_is := frac 3049 98;
    paper_main_is := frac 13399 98 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_10 : @agrees 3 2
  (* rows *) [:: [:: frac 1 2; frac 1 6; frac 1 3];
      [:: frac 1 1; frac 0 1; frac 0 1];
      [:: frac 1 11; frac 4 11; frac 6 11]]
  (* tokens *) [:: [:: frac 8 1; frac 1 2];
      [:: frac 1 2; frac 3 2];
      [:: frac 0 1; frac 3 2]]
  (* in the cluster *) [:: false; true; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 1 2;
    all_diameter := frac 8 1;
    next_cluster_diameter := frac 78 11;
    next_all_diameter := frac 78 11;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 11;
    eps_upper := frac 1 1;
    coefficient := frac 10 11;
    cluster_dobrushin_is := frac 80 11;
    overlap_is := frac 80 11;
    sharp_is := frac 80 11;
    product_is := frac 8 1;
    linear_is := frac 1986 121;
    paper_appendix_is := frac 2954 121;
    paper_main_is := frac 9730 121 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_11 : @agrees 4 3
  (* rows *) [:: [:: frac 3 7; frac 2 7; frac 1 7; frac 1 7];
      [:: frac 2 5; frac 1 3; frac 0 1; frac 4 15];
      [:: frac 2 7; frac 3 7; frac 2 7; frac 0 1];
      [:: frac 2 19; frac 4 19; frac 4 19; frac 9 19]]
  (* tokens *) [:: [:: frac 11 4; frac (-7) 2; frac (-5) 1];
      [:: frac (-9) 2; frac 4 1; frac 3 1];
      [:: frac 11 1; frac (-3) 2; frac 9 2];
      [:: frac 11 4; frac (-10) 3; frac (-3) 2]]
  (* in the cluster *) [:: true; false; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 79 4;
    all_diameter := frac 91 4;
    next_cluster_diameter := frac 73 21;
    next_all_diameter := frac 1717 315;
    outside_tokens := frac 1 1;
    eps_lower := frac 4 19;
    eps_upper := frac 3 7;
    coefficient := frac 9 19;
    cluster_dobrushin_is := frac 5325 532;
    overlap_is := frac 8643 532;
    sharp_is := frac 8643 532;
    product_is := frac 4267 196;
    linear_is := frac 45933 1444;
    paper_appendix_is := frac 90942 2527;
    paper_main_is := frac 732813 5776 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_12 : @agrees 5 1
  (* rows *) [:: [:: frac 1 4; frac 1 4; frac 1 3; frac 0 1; frac 1 6];
      [:: frac 3 22; frac 3 11; frac 5 22; frac 3 11; frac 1 11];
      [:: frac 5 19; frac 6 19; frac 1 19; frac 3 19; frac 4 19];
      [:: frac 1 5; frac 2 15; frac 0 1; frac 1 3; frac 1 3];
      [:: frac 2 17; frac 0 1; frac 8 17; frac 6 17; frac 1 17]]
  (* tokens *) [:: [:: frac 3 1];
      [:: frac 1 1];
      [:: frac 3 1];
      [:: frac 3 1];
      [:: frac (-2) 1]]
  (* in the cluster *) [:: false; false; false; true; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 5 1;
    all_diameter := frac 5 1;
    next_cluster_diameter := frac 418 255;
    next_all_diameter := frac 418 255;
    outside_tokens := frac 3 1;
    eps_lower := frac 0 1;
    eps_upper := frac 8 17;
    coefficient := frac 198 323;
    cluster_dobrushin_is := frac 125 51;
    overlap_is := frac 75 17;
    sharp_is := frac 5 1;
    product_is := frac 5 1;
    linear_is := frac 325 17;
    paper_appendix_is := frac 8405 289;
    paper_main_is := frac 19925 289 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_13 : @agrees 4 3
  (* rows *) [:: [:: frac 7 19; frac 6 19; frac 3 19; frac 3 19];
      [:: frac 4 17; frac 6 17; frac 4 17; frac 3 17];
      [:: frac 1 17; frac 6 17; frac 7 17; frac 3 17];
      [:: frac 1 4; frac 2 5; frac 3 10; frac 1 20]]
  (* tokens *) [:: [:: frac (-10) 1; frac 7 4; frac 1 1];
      [:: frac 7 1; frac 4 1; frac (-11) 1];
      [:: frac (-3) 1; frac 7 1; frac 3 1];
      [:: frac (-1) 2; frac 3 1; frac 2 1]]
  (* in the cluster *) [:: true; false; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 57 4;
    all_diameter := frac 125 4;
    next_cluster_diameter := frac 78 19;
    next_all_diameter := frac 78 19;
    outside_tokens := frac 1 1;
    eps_lower := frac 6 19;
    eps_upper := frac 2 5;
    coefficient := frac 100 323;
    cluster_dobrushin_is := frac 1629 323;
    overlap_is := frac 4249 380;
    sharp_is := frac 4249 380;
    product_is := frac 2513 100;
    linear_is := frac 2407 76;
    paper_appendix_is := frac 2787 76;
    paper_main_is := frac 7141 38 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_14 : @agrees 4 2
  (* rows *) [:: [:: frac 5 17; frac 5 17; frac 5 17; frac 2 17];
      [:: frac 3 8; frac 3 8; frac 0 1; frac 1 4];
      [:: frac 3 19; frac 5 19; frac 5 19; frac 6 19];
      [:: frac 3 22; frac 5 22; frac 3 11; frac 4 11]]
  (* tokens *) [:: [:: frac (-1) 2; frac (-1) 1];
      [:: frac (-11) 2; frac (-10) 3];
      [:: frac 9 4; frac (-10) 1];
      [:: frac (-11) 2; frac (-5) 2]]
  (* in the cluster *) [:: true; true; true; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 9 1;
    all_diameter := frac 9 1;
    next_cluster_diameter := frac 461 204;
    next_all_diameter := frac 301 132;
    outside_tokens := frac 1 1;
    eps_lower := frac 2 17;
    eps_upper := frac 6 19;
    coefficient := frac 17 44;
    cluster_dobrushin_is := frac 225 76;
    overlap_is := frac 135 17;
    sharp_is := frac 135 17;
    product_is := frac 9 1;
    linear_is := frac 69687 5491;
    paper_appendix_is := frac 1417689 104329;
    paper_main_is := frac 2166777 104329 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_15 : @agrees 4 2
  (* rows *) [:: [:: frac 5 23; frac 6 23; frac 6 23; frac 6 23];
      [:: frac 1 14; frac 5 14; frac 3 14; frac 5 14];
      [:: frac 1 4; frac 3 8; frac 1 16; frac 5 16];
      [:: frac 5 11; frac 1 11; frac 1 11; frac 4 11]]
  (* tokens *) [:: [:: frac (-8) 1; frac (-2) 1];
      [:: frac (-10) 3; frac 1 2];
      [:: frac (-8) 3; frac (-1) 2];
      [:: frac 3 4; frac 3 1]]
  (* in the cluster *) [:: true; false; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 55 4;
    all_diameter := frac 55 4;
    next_cluster_diameter := frac 2405 2112;
    next_all_diameter := frac 4919 1848;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 11;
    eps_upper := frac 3 8;
    coefficient := frac 30 77;
    cluster_dobrushin_is := frac 215 46;
    overlap_is := frac 25 2;
    sharp_is := frac 25 2;
    product_is := frac 55 4;
    linear_is := frac 3815 176;
    paper_appendix_is := frac 66485 2816;
    paper_main_is := frac 543635 11264 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_16 : @agrees 3 3
  (* rows *) [:: [:: frac 5 17; frac 6 17; frac 6 17];
      [:: frac 2 3; frac 1 9; frac 2 9];
      [:: frac 5 12; frac 1 6; frac 5 12]]
  (* tokens *) [:: [:: frac 2 3; frac 1 2; frac 0 1];
      [:: frac (-2) 1; frac (-2) 3; frac (-4) 3];
      [:: frac 4 1; frac (-7) 3; frac (-7) 1]]
  (* in the cluster *) [:: true; true; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 8 3;
    all_diameter := frac 7 1;
    next_cluster_diameter := frac 568 459;
    next_all_diameter := frac 155 108;
    outside_tokens := frac 1 1;
    eps_lower := frac 2 9;
    eps_upper := frac 6 17;
    coefficient := frac 19 51;
    cluster_dobrushin_is := frac 716 459;
    overlap_is := frac 404 153;
    sharp_is := frac 404 153;
    product_is := frac 4496 867;
    linear_is := frac 27076 4131;
    paper_appendix_is := frac 521528 70227;
    paper_main_is := frac 888944 70227 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_17 : @agrees 3 1
  (* rows *) [:: [:: frac 1 2; frac 1 2; frac 0 1];
      [:: frac 1 4; frac 1 4; frac 1 2];
      [:: frac 0 1; frac 9 14; frac 5 14]]
  (* tokens *) [:: [:: frac (-5) 1];
      [:: frac (-1) 2];
      [:: frac 10 3]]
  (* in the cluster *) [:: false; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 23 6;
    all_diameter := frac 25 3;
    next_cluster_diameter := frac 97 168;
    next_all_diameter := frac 76 21;
    outside_tokens := frac 1 1;
    eps_lower := frac 0 1;
    eps_upper := frac 1 4;
    coefficient := frac 1 2;
    cluster_dobrushin_is := frac 221 84;
    overlap_is := frac 119 24;
    sharp_is := frac 119 24;
    product_is := frac 557 96;
    linear_is := frac 8 1;
    paper_appendix_is := frac 409 48;
    paper_main_is := frac 1777 144 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_18 : @agrees 4 2
  (* rows *) [:: [:: frac 3 10; frac 1 5; frac 2 5; frac 1 10];
      [:: frac 3 14; frac 0 1; frac 5 14; frac 3 7];
      [:: frac 5 16; frac 1 2; frac 1 8; frac 1 16];
      [:: frac 5 12; frac 1 12; frac 1 3; frac 1 6]]
  (* tokens *) [:: [:: frac (-6) 1; frac 7 3];
      [:: frac (-6) 1; frac 7 1];
      [:: frac 1 2; frac 7 3];
      [:: frac (-5) 3; frac (-1) 3]]
  (* in the cluster *) [:: true; true; true; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 13 2;
    all_diameter := frac 22 3;
    next_cluster_diameter := frac 139 42;
    next_all_diameter := frac 139 42;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 16;
    eps_upper := frac 3 7;
    coefficient := frac 67 112;
    cluster_dobrushin_is := frac 1409 336;
    overlap_is := frac 1075 168;
    sharp_is := frac 1075 168;
    product_is := frac 346 49;
    linear_is := frac 43003 3584;
    paper_appendix_is := frac 334813 25088;
    paper_main_is := frac 548829 25088 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_19 : @agrees 5 2
  (* rows *) [:: [:: frac 3 7; frac 1 7; frac 1 7; frac 3 14; frac 1 14];
      [:: frac 2 9; frac 7 27; frac 5 27; frac 4 27; frac 5 27];
      [:: frac 2 9; frac 0 1; frac 0 1; frac 1 9; frac 2 3];
      [:: frac 5 13; frac 5 26; frac 3 26; frac 1 13; frac 3 13];
      [:: frac 1 7; frac 11 28; frac 1 14; frac 5 28; frac 3 14]]
  (* tokens *) [:: [:: frac (-3) 1; frac 5 1];
      [:: frac (-2) 1; frac 10 1];
      [:: frac (-3) 4; frac (-5) 2];
      [:: frac 4 1; frac 9 4];
      [:: frac 4 3; frac (-3) 1]]
  (* in the cluster *) [:: true; false; true; false; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 37 3;
    all_diameter := frac 49 3;
    next_cluster_diameter := frac 5843 1008;
    next_all_diameter := frac 5843 1008;
    outside_tokens := frac 2 1;
    eps_lower := frac 0 1;
    eps_upper := frac 11 28;
    coefficient := frac 25 42;
    cluster_dobrushin_is := frac 3175 378;
    overlap_is := frac 2420 189;
    sharp_is := frac 325 21;
    product_is := frac 2374 147;
    linear_is := frac 38 1;
    paper_appendix_is := frac 577 12;
    paper_main_is := frac 7297 36 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_20 : @agrees 3 1
  (* rows *) [:: [:: frac 5 11; frac 4 11; frac 2 11];
      [:: frac 1 7; frac 3 7; frac 3 7];
      [:: frac 5 12; frac 1 2; frac 1 12]]
  (* tokens *) [:: [:: frac (-2) 1];
      [:: frac (-4) 1];
      [:: frac (-1) 1]]
  (* in the cluster *) [:: true; false; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 1 1;
    all_diameter := frac 3 1;
    next_cluster_diameter := frac 49 132;
    next_all_diameter := frac 41 84;
    outside_tokens := frac 1 1;
    eps_lower := frac 4 11;
    eps_upper := frac 1 2;
    coefficient := frac 29 84;
    cluster_dobrushin_is := frac 9 22;
    overlap_is := frac 10 11;
    sharp_is := frac 10 11;
    product_is := frac 5 2;
    linear_is := frac 412 121;
    paper_appendix_is := frac 2011 484;
    paper_main_is := frac 2737 484 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_21 : @agrees 5 1
  (* rows *) [:: [:: frac 3 8; frac 1 4; frac 0 1; frac 1 4; frac 1 8];
      [:: frac 3 17; frac 4 17; frac 4 17; frac 2 17; frac 4 17];
      [:: frac 1 3; frac 1 3; frac 1 6; frac 0 1; frac 1 6];
      [:: frac 3 17; frac 6 17; frac 2 17; frac 6 17; frac 0 1];
      [:: frac 11 19; frac 2 19; frac 2 19; frac 0 1; frac 4 19]]
  (* tokens *) [:: [:: frac 5 4];
      [:: frac 0 1];
      [:: frac (-9) 4];
      [:: frac (-12) 1];
      [:: frac 3 2]]
  (* in the cluster *) [:: false; false; true; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 27 2;
    all_diameter := frac 27 2;
    next_cluster_diameter := frac 3283 646;
    next_all_diameter := frac 3283 646;
    outside_tokens := frac 2 1;
    eps_lower := frac 2 19;
    eps_upper := frac 11 19;
    coefficient := frac 198 323;
    cluster_dobrushin_is := frac 2673 323;
    overlap_is := frac 3132 323;
    sharp_is := frac 405 38;
    product_is := frac 27 2;
    linear_is := frac 28647 722;
    paper_appendix_is := frac 41715 722;
    paper_main_is := frac 205065 722 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_22 : @agrees 5 3
  (* rows *) [:: [:: frac 2 7; frac 2 7; frac 2 21; frac 2 21; frac 5 21];
      [:: frac 5 21; frac 2 7; frac 2 21; frac 2 7; frac 2 21];
      [:: frac 2 7; frac 1 14; frac 3 14; frac 3 14; frac 3 14];
      [:: frac 0 1; frac 0 1; frac 1 10; frac 3 5; frac 3 10];
      [:: frac 9 17; frac 3 17; frac 3 17; frac 1 17; frac 1 17]]
  (* tokens *) [:: [:: frac 2 1; frac 0 1; frac (-3) 1];
      [:: frac (-11) 2; frac (-9) 1; frac (-2) 1];
      [:: frac 10 3; frac (-1) 1; frac (-7) 1];
      [:: frac (-4) 1; frac 5 1; frac (-5) 2];
      [:: frac (-11) 1; frac 8 3; frac (-2) 1]]
  (* in the cluster *) [:: true; true; true; true; false]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 14 1;
    all_diameter := frac 43 3;
    next_cluster_diameter := frac 473 90;
    next_all_diameter := frac 473 90;
    outside_tokens := frac 1 1;
    eps_lower := frac 2 21;
    eps_upper := frac 3 10;
    coefficient := frac 133 170;
    cluster_dobrushin_is := frac 5053 630;
    overlap_is := frac 8023 630;
    sharp_is := frac 8023 630;
    product_is := frac 1417 100;
    linear_is := frac 6319 315;
    paper_appendix_is := frac 134507 6300;
    paper_main_is := frac 242867 6300 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_23 : @agrees 3 2
  (* rows *) [:: [:: frac 5 14; frac 3 14; frac 3 7];
      [:: frac 4 13; frac 3 13; frac 6 13];
      [:: frac 1 13; frac 6 13; frac 6 13]]
  (* tokens *) [:: [:: frac 2 1; frac (-12) 1];
      [:: frac (-1) 4; frac (-5) 1];
      [:: frac 6 1; frac (-5) 1]]
  (* in the cluster *) [:: false; true; true]
  (* supremum norm, else the sum *) false
  {| cluster_diameter := frac 25 4;
    all_diameter := frac 11 1;
    next_cluster_diameter := frac 111 52;
    next_all_diameter := frac 1737 728;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 13;
    eps_upper := frac 4 13;
    coefficient := frac 51 182;
    cluster_dobrushin_is := frac 33 13;
    overlap_is := frac 357 52;
    sharp_is := frac 357 52;
    product_is := frac 5897 676;
    linear_is := frac 2044 169;
    paper_appendix_is := frac 2220 169;
    paper_main_is := frac 3980 169 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Lemma instance_24 : @agrees 3 1
  (* rows *) [:: [:: frac 1 8; frac 1 2; frac 3 8];
      [:: frac 3 8; frac 5 8; frac 0 1];
      [:: frac 1 3; frac 8 15; frac 2 15]]
  (* tokens *) [:: [:: frac (-11) 3];
      [:: frac 7 2];
      [:: frac 5 4]]
  (* in the cluster *) [:: true; false; true]
  (* supremum norm, else the sum *) true
  {| cluster_diameter := frac 59 12;
    all_diameter := frac 43 6;
    next_cluster_diameter := frac 1367 1440;
    next_all_diameter := frac 1367 1440;
    outside_tokens := frac 1 1;
    eps_lower := frac 1 2;
    eps_upper := frac 8 15;
    coefficient := frac 3 8;
    cluster_dobrushin_is := frac 1819 1440;
    overlap_is := frac 38 15;
    sharp_is := frac 38 15;
    product_is := frac 2003 300;
    linear_is := frac 6389 720;
    paper_appendix_is := frac 117851 10800;
    paper_main_is := frac 760849 32400 |}.
Proof. by apply: by_evaluation; vm_compute. Qed.

Definition all_instances := (instance_01, instance_02, instance_03, instance_04, instance_05, instance_06, instance_07, instance_08, instance_09, instance_10, instance_11, instance_12, instance_13, instance_14, instance_15, instance_16, instance_17, instance_18, instance_19, instance_20, instance_21, instance_22, instance_23, instance_24).
