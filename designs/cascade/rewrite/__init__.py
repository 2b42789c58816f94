"""Rewrites of cascades: another cascade of the same result, which may need fewer passes."""

from collections.abc import Callable

from designs.cascade.cascade import Cascade
from designs.cascade.rewrite.division import defer_division
from designs.cascade.rewrite.filters import keep_only
from designs.cascade.rewrite.maximum import iterate_maximum
from designs.cascade.rewrite.splitting import split

REWRITES: dict[str, Callable[[Cascade, str], Cascade]] = {
    "split": split,
    "defer-division": defer_division,
    "iterative-max": iterate_maximum,
}
"""Name to rewrite: of a cascade along a family, RuleError where there is nothing to rewrite."""

__all__ = ["REWRITES", "defer_division", "iterate_maximum", "keep_only", "split"]
