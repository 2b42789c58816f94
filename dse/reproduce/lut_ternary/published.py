"""Where the numbers of others come from.

The paper: "Hardware Generation and Exploration of Lookup Table-Based Accelerators for 1.58-bit LLM
Inference", arXiv 2604.25183, in TSMC 16 nm at 500 MHz.
"""

TABLE_IV = "the paper's Table IV, TSMC 16 nm, as a reading note quotes it"
HEADLINE = "the paper's abstract"
TEXT = "the paper, as a reading note quotes it"
RTL = "the authors' generator"
