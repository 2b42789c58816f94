"""What goldens of a GEMM ask of their operands."""

from designs.rules import Ints


def check_shapes(a: Ints, w: Ints, max_k: int) -> None:
    """Raise ValueError unless a is (m, k) and w is (k, n), with at most `max_k` products."""
    if a.ndim != 2 or w.ndim != 2 or a.shape[1] != w.shape[0]:
        raise ValueError(
            f"a and w must be of shapes (m, k) and (k, n), not {a.shape} and {w.shape}"
        )
    if a.shape[1] > max_k:
        raise ValueError(f"k must be at most max_k = {max_k}, not {a.shape[1]}")


def check_values(name: str, values: Ints, span: tuple[int, int]) -> None:
    """Raise ValueError for the first value outside `span`, both ends of which are legal."""
    low, high = span
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise ValueError(f"{name} must be between {low} and {high}, not {outside.flat[0]}")
