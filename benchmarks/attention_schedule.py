"""The pictures of schedules on docs/attention.md: `python -m benchmarks.attention_schedule`."""

from benchmarks.tables import RESULTS
from designs.attention import AttentionParams, ExpMethod, Masking
from dse.schedule_plot import schedule_plot

OURS = AttentionParams(side=16, e=32, f=32)
PUBLISHED = AttentionParams(
    side=16,
    e=32,
    f=32,
    exp_method=ExpMethod.POLYNOMIAL,
    exp_degree=5,
    fma_lanes=False,
    masking=Masking.NONE,
)

if __name__ == "__main__":
    schedule_plot(OURS, RESULTS / "attention_schedule.png")
    schedule_plot(PUBLISHED, RESULTS / "attention_schedule_published.png")
