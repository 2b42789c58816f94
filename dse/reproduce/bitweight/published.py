"""Where the numbers of others come from.

The paper: Wu et al., "Exploring the Performance Improvement of Tensor Processing Engines through
Transformation in the Bit-weight Dimension of MACs", HPCA 2025, arXiv 2503.06342.
"""

ABSTRACT = "the paper's abstract"
NOTE = "the paper, as a reading note quotes it"
BENCH = "the authors' testbench"
REPORTS = "the authors' synthesis reports, SAED 32 nm"
