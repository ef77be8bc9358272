"""How the embedded student was made: ``python -m attnclust.training`` makes it again."""
