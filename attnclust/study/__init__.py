"""Run a study: data times conditions times levels, into records; resumable."""

from attnclust.study.run import run_study
from attnclust.study.settings import Settings

__all__ = ["Settings", "run_study"]
