"""Floating point units that take several cycles, played on many operands at once."""

from bit_parallel import BitParallel


def result(unit, **operands):
    """Outputs of the cycle after `latency_cycles` from a start that another one preceded."""
    stimuli = {"rst": 1, "start": 0, **operands}
    cycles = BitParallel(unit).cycles(stimuli)
    next(cycles)
    stimuli |= {"rst": 0, "start": 1, **{name: words[::-1] for name, words in operands.items()}}
    assert next(cycles)["done"].all()
    stimuli |= {"start": 0} | {name: 0 * words for name, words in operands.items()}
    assert not next(cycles)["done"].any()
    stimuli |= {"start": 1, **operands}
    assert not next(cycles)["done"].any()
    stimuli |= {"start": 0} | {name: 0 * words for name, words in operands.items()}
    for _ in range(unit.params.latency_cycles - 1):
        assert not next(cycles)["done"].any()
    found = next(cycles)
    assert found["done"].all()
    assert all((next(cycles)[name] == words).all() for name, words in found.items())
    return found
