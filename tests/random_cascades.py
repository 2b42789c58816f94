"""Random cascades for property tests, and a count of passes that knows no labels."""

from hypothesis import strategies as st

from designs.cascade import At, Cascade, einsum

FAMILIES = ("k", "j")
INPUTS = (("A", ("k",)), ("B", ("k",)), ("C", ("j",)), ("D", ("k", "j")))
BINARY = ("{} * {}", "{} + {}", "{} - {}", "max({}, {})")


@st.composite
def cascades(draw):
    """Cascades of up to six Einsums over k and j, none iterated."""
    made = [(name, list(families)) for name, families in INPUTS]
    einsums = []
    for number in range(draw(st.integers(1, 6))):
        operands = draw(st.lists(st.sampled_from(made), min_size=1, max_size=2, unique_by=str))
        walked = [rank for rank in FAMILIES if any(rank in ranks for _, ranks in operands)]
        kept = [rank for rank in walked if draw(st.booleans())]
        texts = [access(*operand) for operand in operands]
        form = draw(st.sampled_from(("{}", "relu({})") if len(texts) == 1 else BINARY))
        output = f"T{number}"
        reduce = {r: draw(st.sampled_from(("add", "max"))) for r in walked if r not in kept}
        einsums.append(einsum(f"{access(output, kept)} = {form.format(*texts)}", reduce))
        made.append((output, kept))
    return Cascade(name="random", inputs=INPUTS, einsums=tuple(draw(st.permutations(einsums))))


def access(tensor, ranks):
    return f"{tensor}[{','.join(ranks)}]" if ranks else tensor


def sweeps(cascade, family, extent=3):
    """Passes by trial: walk the outermost rank of the family again and again, doing what can be.

    At each coordinate everything is done that has what it reads. What is folded over the rank is
    known once the walk is over. Walks in which no Einsum of the whole family did anything are not
    counted.
    """
    ranks = cascade.families[family]
    trial = Trial(cascade, ranks[0], extent)
    whole = [one for one in cascade.einsums if {*ranks} <= {*map(cascade.own, one.ranks)}]
    counted = 0
    while left := trial.left(cascade.einsums):
        trial.ended = {tensor for tensor, todo in trial.todo.items() if not todo}
        trial.known |= trial.settle(None)
        before = trial.left(whole)
        late = set()
        for at in range(extent):
            late |= trial.settle(at)
        trial.known |= late
        counted += trial.left(whole) < before
        assert trial.left(cascade.einsums) < left, "nothing can be done"
    return counted


class Trial:
    """known: tensors with the coordinate of `outer` at which they are there, None for whole ones.

    todo: output to the coordinates at which its Einsum was not yet done
    ended: outputs that were done before this walk
    """

    def __init__(self, cascade, outer, extent):
        self.cascade, self.outer = cascade, outer
        self.known = {(name, at) for name, _ in cascade.inputs for at in (None, *range(extent))}
        for one in cascade.iterations:
            self.known |= {(tensor, 0) for tensor in one.tensors if one.rank == outer}
        self.todo, self.ended = {}, set()
        for one in cascade.einsums:
            walks = outer in map(cascade.own, one.ranks)
            self.todo[one.output.tensor] = {*range(extent)} if walks else {None}

    def left(self, einsums):
        return sum(len(self.todo[one.output.tensor]) for one in einsums)

    def settle(self, at):
        """Do all that can be at a coordinate; returns what is whole by that."""
        whole = set()
        changed = True
        while changed:
            changed = False
            for one in self.cascade.einsums:
                tensor = one.output.tensor
                if at in self.todo[tensor] and all(
                    self.has(one, each, at) for each in one.operands
                ):
                    self.todo[tensor].discard(at)
                    changed = True
                    place = self.place(one.output)
                    if place is not None:
                        self.known.add((tensor, at + (place is At.NEXT)))
                    elif not self.todo[tensor]:
                        whole.add((tensor, None))
                        self.known |= whole if at is None else set()
        return whole

    def place(self, access):
        indices = access.indices
        return next((i.at for i in indices if self.cascade.own(i.rank) == self.outer), None)

    def has(self, reader, operand, at):
        place = self.place(operand)
        if place is At.END:
            return operand.tensor in self.ended
        iteration = self.cascade.iteration_of(operand.tensor)
        if iteration and iteration.rank != self.outer and self.cascade.is_carried(reader, operand):
            return True  # made when the rank outside was a step back
        return (operand.tensor, None if place is None else at + (place is At.NEXT)) in self.known
