"""Data sets as arrays: one module per file format."""

from ganglion.arguments import no_attribute
from ganglion.data.idx import mnist, read_idx

__all__ = ["mnist", "read_idx"]

ELSEWHERE = dict.fromkeys(
    ("DataLoader", "Dataset", "TensorDataset", "random_split"),
    "arrays go to fit(x, y, batch_size=32) as they are, which draws and shuffles batches",
)


def __getattr__(name: str) -> object:
    raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name))
