"""The 22 claims of the paper, one sentence each; their parts stand with the code that judges them."""

from __future__ import annotations

from collections.abc import Mapping

CLAIMS: Mapping[int, str] = {
    1: "A layer never widens the set of all tokens: diam(Z') <= diam(Z).",
    2: "The bound of Theorem 3.1(ii) holds, and the weights across clusters that drive it fall with depth.",
    3: "Clusters shrink from level to level.",
    4: "Purity rises with depth.",
    5: "The silhouette rises with depth.",
    6: "The cosine inside clusters rises with depth.",
    7: "The cosine inside objects rises with depth.",
    8: "The unique-label ratio rises with depth.",
    9: "Object patches draw more of the class token's attention than background: clean, shuffled, occluded.",
    10: "Shuffling 2 x 2 cells hardly changes the metrics; shuffling 8 x 8 cells hurts all of them.",
    11: "Under random drop metrics fall with the ratio, yet rise with depth, till objects hardly stand out.",
    12: "Under salient drop purity falls with the ratio; cosines still rise; the label ratio hardly changes.",
    13: "Under non-salient drop metrics hardly change, the label ratio rises, objects separate earlier.",
    14: "A blacked-out background is one cluster at low levels, two at high ones; a noise-filled one, one.",
    15: "Views of two tokens on one object are more alike than views across objects or background.",
    16: "Views of the class token and of object tokens hold more of the objects, more so at higher levels.",
    17: "Salient drop leaves little of the objects in the views, random drop much, non-salient nearly all.",
    18: "At level 0 patches of one object are already closer than others, by a small margin.",
    19: "Where a patch lies can be read from its token, and from its view, at every level.",
    20: "One filter answers to many types of object, and filters complement each other.",
    21: "The predicted class survives shuffling and occlusion.",
    22: "Objects of different classes separate better than two objects of one class.",
}
"""Number -> what is claimed."""
