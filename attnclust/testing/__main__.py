"""``python -m attnclust.testing``: search for every theorem's worst ratio and keep it in the package."""

from attnclust.testing._evidence import EVIDENCE, write_evidence

if __name__ == "__main__":
    write_evidence()
    print(EVIDENCE)
