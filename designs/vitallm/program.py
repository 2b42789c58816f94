"""What the units of a VitaLLM engine do for one token in one block, and in which order.

A program has a list of instructions for each unit, which works through its list, one at a time. An
instruction starts when its unit is free and, of each unit that it waits for, so many instructions
are done. Nothing else keeps order: who reads waits for who writes, and who writes again for who
reads. How long an instruction takes is not said here, but by each unit.

Source: section "dependency-aware scheduling" of arXiv 2604.27396, as far as it is known: heads in a
pipeline, gate and up in turn, norms beside the linear layers.
"""

from dataclasses import dataclass, field

from designs.bitnet import BitnetBlock, GateFunction
from designs.rules import ceil_div
from designs.vector import Place, Reduction
from designs.vector_passes import Formula
from designs.vitallm import SUM_SLOTS, SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import (
    Fetch,
    Instruction,
    Linear,
    Multiply,
    Operation,
    Product,
    Program,
    Select,
    Unit,
)
from designs.vitallm.passes import EnginePasses
from designs.vitallm.vector import Input, Output, Port, Register, Stream


def program(params: VitaLlmParams, workload: BitnetBlock) -> Program:
    """What the units do for one token in one block."""
    schedule = _Schedule(params, workload)
    schedule.normalise_input()
    schedule.attend()
    schedule.project()
    schedule.feed_forward()
    return schedule.instructions


RESIDUAL = Place(0, 0)


@dataclass(frozen=True, slots=True)
class _Mark:
    """The moment when so many instructions of a unit are done."""

    unit: Unit
    count: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Columns of a linear layer whose sums wait in one slot: stream, first column, how many."""

    slot: int
    sums: list[tuple[Stream, int, int]]
    marks: list[_Mark]


@dataclass(slots=True)
class _Schedule:
    """A program that grows, in an order in which whatever is waited for stands there already."""

    params: VitaLlmParams
    workload: BitnetBlock
    instructions: dict[Unit, list[Instruction]] = field(
        default_factory=lambda: {unit: [] for unit in Unit}
    )
    passes: EnginePasses = field(init=False)
    codes: list[_Mark] = field(default_factory=list)
    """When the codes of the linear layer at hand are there."""
    read: dict[int, _Mark] = field(default_factory=dict)
    """When the sums of a slot have been read."""
    piece_count: int = 0
    queries: dict[int, _Mark] = field(default_factory=dict)
    """When the query of a head is there."""
    weighed: dict[int, _Mark] = field(default_factory=dict)
    """When the values in a slot have been used, and the sums of a head's output are there."""
    outputs: dict[int, _Mark] = field(default_factory=dict)
    """When the output of a head has been taken in."""

    def __post_init__(self) -> None:
        self.passes = EnginePasses(self.params)

    def add(self, unit: Unit, operation: Operation, *after: _Mark) -> _Mark:
        """Append an instruction that waits for marks of other units."""
        waits: dict[Unit, int] = {}
        for mark in after:
            if mark.unit != unit:
                waits[mark.unit] = max(waits.get(mark.unit, 0), mark.count)
        self.instructions[unit].append(Instruction(operation=operation, waits=waits))
        return _Mark(unit, len(self.instructions[unit]))

    def vector(self, *after: _Mark) -> _Mark:
        """Append the passes that were written; the first of them waits."""
        mark = _Mark(Unit.VECTOR, len(self.instructions[Unit.VECTOR]))
        for operation in self.passes.write.operations:
            mark = self.add(Unit.VECTOR, operation, *after)
            after = ()
        self.passes.write.operations.clear()
        return mark

    def piece(
        self, weights: tuple[str, int], k: int, columns: int, *after: _Mark, helps: bool = True
    ) -> _Piece:
        """Let TINT, and where it `helps` BOOTH, work out columns of a linear layer."""
        p, slot = self.params, self.piece_count % SUM_SLOTS
        self.piece_count += 1
        after = (*after, *self.codes)
        if slot in self.read:
            after = (*after, self.read[slot])
        taken = p.tint_columns(columns) if helps else columns
        address = slot * p.tint_slot_words
        sums = [(Stream(Input.TINT_SUMS, address), 0, taken)]
        linear = Linear(k=k, n=taken, address=address, weights=weights)
        marks = [self.add(Unit.TINT, linear, *after)]
        if taken < columns:
            address = slot * p.booth_slot_words
            sums.append((Stream(Input.BOOTH_SUMS, address), taken, columns - taken))
            multiply = Multiply(
                product=Product.LINEAR,
                k=k,
                n=columns - taken,
                codes=0,
                operands=0,
                address=address,
                weights=(weights[0], weights[1] + taken),
            )
            marks.append(self.add(Unit.BOOTH, multiply, *after))
        return _Piece(slot, sums, marks)

    def scaled(self, piece: _Piece, factor: int, to: Place) -> None:
        """Read a piece: a vector becomes its sums times a scalar."""
        for stream, start, count in piece.sums:
            part = self.passes.places.part(to, start)
            self.passes.write.run(count, Formula(stream, factor), to=part)
        self.read[piece.slot] = self.vector(*piece.marks)

    def blocks(self, columns: int) -> list[tuple[int, int]]:
        """First column and number of columns of each piece of a linear layer."""
        size = self.params.block
        return [(start, min(size, columns - start)) for start in range(0, columns, size)]

    def barrier(self, length: int, inverse: Register, squares: Place | None = None) -> None:
        """Codes of the vector that waits; ROOT follows beside what needs them, or before.

        squares: the vector whose squares make the root; None if their sum is there.
        """
        passes = self.passes

        def norm() -> None:
            if squares is not None:
                passes.squares(squares, length, first=True)
            passes.root_mean_square(inverse)

        passes.bound(Register.PEAK)
        if self.params.norm_on_path:
            norm()
        passes.quantise_inner(length)
        self.codes = [self.vector()]
        if not self.params.norm_on_path:
            norm()

    def normalise_input(self) -> None:
        """Take scalars and the residual; codes for queries, keys and values."""
        passes, hidden = self.passes, self.workload.hidden
        passes.load()
        passes.write.run(hidden, Formula(Stream(Input.RESIDUAL)), to=RESIDUAL)
        passes.gain(RESIDUAL, "g1", 0, hidden)
        self.barrier(hidden, Register.INVERSE_HIDDEN, RESIDUAL)
        passes.factor(Register.FACTOR_Q, Register.W_Q, Register.QUERY_FACTOR)
        squared = passes.write.constant("inverse_greatest_code_squared")
        passes.factor(Register.FACTOR_K, Register.W_K, squared)
        passes.factor(Register.FACTOR_V, Register.W_V, squared)
        self.vector()

    def attend(self) -> None:
        """All heads; each waits with its scores until `head_lag` further ones have queries."""
        heads, lag = self.workload.heads, self.params.head_lag
        for head in range(heads + lag + 1):
            if head < heads:
                self.query(head)
            if lag and 0 <= head - lag - 1 < heads:
                self.output(head - lag - 1)
            if 0 <= head - lag < heads:
                self.softmax(head - lag)
                if not lag:
                    self.output(head)

    def query(self, head: int) -> None:
        """Query of a head, and before the first of a group its key and value, which leave."""
        p, w, passes = self.params, self.workload, self.passes
        after = () if p.head_lag or not head else (self.outputs[head - 1],)
        codes, scales = Port(Output.NEW_CODES), Port(Output.NEW_SCALES)
        layers = [("wq", head, Register.FACTOR_Q)]
        if head % w.group == 0:
            group = head // w.group
            layers = [("wk", group, Register.FACTOR_K), ("wv", group, Register.FACTOR_V), *layers]
        for name, index, factor in layers:
            weights = name, index * w.head_dim
            piece = self.piece(weights, w.hidden, w.head_dim, *after, helps=False)
            sums = piece.sums[0][0]
            if factor == Register.FACTOR_V:
                vector = passes.places.temporary(1, 0)
                peak = (Reduction.ABSMAX, Register.HEAD_PEAK)
                passes.write.run(w.head_dim, Formula(sums), to=vector, reduce=peak)
                passes.bound(Register.HEAD_PEAK)
            else:
                vector = passes.rotate(sums, w.head_dim)
            slot = head % p.query_slots
            is_query = factor == Register.FACTOR_Q
            to = Port(Output.QUERY_CODES, slot) if is_query else codes
            passes.quantise(Register.HEAD_PEAK, [(vector, w.head_dim, to)])
            if is_query:
                passes.write.scalar(Register.QUERY_SCALE + slot, Register.HEAD_PEAK, factor)
            else:
                passes.write.run(1, Formula(Register.HEAD_PEAK, factor), to=scales)
            self.read[piece.slot] = self.queries[head] = self.vector(*piece.marks)

    def softmax(self, head: int) -> None:
        """Survivors of a head, their scores, the codes of their weights, and its output's sums."""
        p, w = self.params, self.workload
        slot = head % p.query_slots
        query, store = slot * p.query_words, head % SURVIVOR_SLOTS
        keys, values = store * p.key_words, store * p.value_words
        weights = p.query_slots * p.query_words
        chosen = self.add(Unit.LOP, self.selection(head, slot), self.queries[head])
        free = [self.weighed[store]] if store in self.weighed else []
        there = self.add(Unit.FETCH, self.fetch(keys, values), chosen, *free)
        scores = Multiply(
            product=Product.SCORES,
            k=w.head_dim,
            n=w.kept,
            codes=query,
            operands=keys,
            address=p.score_address,
        )
        scored = self.add(Unit.BOOTH, scores, there, self.queries[head])
        self.passes.softmax(
            Stream(Input.BOOTH_SUMS, p.score_address),
            Register.QUERY_SCALE + slot,
            w.kept,
            Port(Output.WEIGHT_CODES),
        )
        output = Multiply(
            product=Product.OUTPUT,
            k=w.kept,
            n=w.head_dim,
            codes=weights,
            operands=values,
            address=p.output_address,
        )
        self.weighed[store] = self.add(Unit.BOOTH, output, self.vector(scored))

    def selection(self, head: int, slot: int) -> Select:
        """What LOP does for a head."""
        w = self.workload
        latest = max(w.context + 1 - w.recent, 0)
        return Select(
            context=w.context,
            need=w.kept - min(w.sinks, latest) - (w.context + 1 - latest),
            sinks=w.sinks,
            latest=latest,
            words=ceil_div(w.head_dim, self.params.lop_lanes),
            query=slot,
            kv_head=head // w.group,
        )

    def fetch(self, keys: int, values: int) -> Fetch:
        """What FETCH does for a head."""
        booth, w = self.params.booth, self.workload
        return Fetch(
            count=w.kept,
            key_steps=ceil_div(w.head_dim, booth.elements),
            value_steps=ceil_div(w.head_dim, booth.cols),
            keys=keys,
            values=values,
            value_stride=ceil_div(w.kept, booth.elements),
        )

    def output(self, head: int) -> None:
        """Output of a head, into the vector that waits for the next linear layer."""
        p, dim, passes = self.params, self.workload.head_dim, self.passes
        vector = passes.places.temporary(0, 0)
        passes.write.run(
            dim, Formula(Stream(Input.BOOTH_SUMS, p.output_address), Register.GAIN), to=vector
        )
        passes.squares(vector, dim, first=head == 0)
        passes.gain(vector, "g2", head * dim, dim)
        self.outputs[head] = self.vector(self.weighed[head % SURVIVOR_SLOTS])

    def project(self) -> None:
        """The linear layer after attention, onto the residual."""
        w = self.workload
        self.barrier(w.q_width, Register.INVERSE_Q_WIDTH)
        self.passes.factor(Register.FACTOR, Register.W_O)
        self.vector()
        self.accumulate("wo", w.q_width)

    def accumulate(self, name: str, k: int, port: Port | None = None) -> None:
        """A linear layer times FACTOR on top of the residual, which it becomes, or which leaves."""
        for start, columns in self.blocks(self.workload.hidden):
            piece = self.piece((name, start), k, columns)
            for stream, first, count in piece.sums:
                at = self.passes.places.part(RESIDUAL, start + first)
                self.passes.write.run(count, Formula(stream, Register.FACTOR, at), to=port or at)
            self.read[piece.slot] = self.vector(*piece.marks)

    def feed_forward(self) -> None:
        """The three linear layers after the second norm."""
        w, passes = self.workload, self.passes
        passes.gain(RESIDUAL, "g3", 0, w.hidden)
        self.barrier(w.hidden, Register.INVERSE_HIDDEN, RESIDUAL)
        passes.factor(Register.FACTOR_GATE, Register.W_GATE)
        passes.factor(Register.FACTOR_UP, Register.W_UP)
        self.vector()
        result, other = passes.places.temporary(0, 0), passes.places.temporary(1, 0)
        for start, columns in self.blocks(w.ffn):
            gate, up = (self.piece((name, start), w.hidden, columns) for name in ("wg", "wu"))
            self.scaled(gate, Register.FACTOR_GATE, other)
            if w.activation == GateFunction.SILU:
                passes.silu(columns)
            else:
                passes.squared_relu(columns)
            self.vector()
            self.scaled(up, Register.FACTOR_UP, other)
            passes.write.run(columns, Formula(result, other), to=result)
            passes.squares(result, columns, first=start == 0)
            passes.gain(result, "g4", start, columns)
            self.vector()
        self.barrier(w.ffn, Register.INVERSE_FFN)
        passes.factor(Register.FACTOR, Register.W_DOWN)
        self.vector()
        self.accumulate("wd", w.ffn, Port(Output.RESULT))
