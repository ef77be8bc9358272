"""The models that a study opens: the embedded student, and any timm model by name."""

from attnclust.models.loading import LoadedModel, open_model, random_twin
from attnclust.models.student import STUDENT_NAME, build_student

__all__ = ["STUDENT_NAME", "LoadedModel", "build_student", "open_model", "random_twin"]
