"""What a device of memory channels and an NPU computes, bit for bit: layers of GPT, a token each.

Products of codes are exact integers; all else is float32, each operation rounded once, in the
order of `sim.golden.npu_pim.steps`. Two facts of the machine show in the numbers: sums of floats
run in as many lanes as its vector unit has, and where banks sum the values, the sums of each page
of tokens, which a row holds, become floats before they are added.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.params import NpuPimParams
from designs.rules import Ints
from sim.golden.npu_pim.gpt_inputs import CODES, Floats, GptInputs, check, constants
from sim.golden.npu_pim.steps import added, code, gelu, norm, scaled, softmax


def device(params: NpuPimParams, workload: GptLayer, inputs: GptInputs) -> dict[str, Floats]:
    """o: (requests, hidden), float32. inputs: see `sim.golden.npu_pim.gpt_inputs.shapes`.

    Raises ValueError for inputs of other shapes or types.
    """
    check(workload, inputs)
    residual = inputs["x"]
    with np.errstate(over="ignore"):
        for layer in range(workload.layers):
            known = constants(workload, inputs, layer)
            codes = {name: inputs[name][layer].astype(np.int64) for name in CODES}
            step = _Layer(params=params, workload=workload, known=known, codes=codes)
            residual = np.stack([step.of(one, x) for one, x in enumerate(residual)])
    return {"o": residual}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layer:
    """One layer for one request after the other.

    known: the constants. codes: weights (k, n) of the linear layers; old k and v.
    """

    params: NpuPimParams
    workload: GptLayer
    known: Mapping[str, Floats]
    codes: Mapping[str, Ints]

    def of(self, request: int, x: Floats) -> Floats:
        """The residual (hidden,) of a request behind the layer."""
        lanes = self.params.vector_lanes
        heads = self.attention(request, norm(x, self.known, 1, lanes))
        x = self.linear("proj", heads) + x
        inner = gelu(self.linear("up", norm(x, self.known, 2, lanes)))
        output: Floats = self.linear("down", code(inner, self.known["inv_down"][0])) + x
        return output

    def linear(self, name: str, codes: Ints) -> Floats:
        """A linear layer of codes, with its bias."""
        sums = codes @ self.codes[name]
        return scaled(sums, self.known[f"f_{name}"][0], self.known[f"{name}_bias"])

    def attention(self, request: int, normal: Ints) -> Ints:
        """Codes of the outputs of all heads, side by side."""
        w = self.workload
        q, k, v = self.projected(normal)
        keys, values = (
            np.concatenate([self.codes[name][request, : w.lengths[request] - 1], new[None]])
            for name, new in (("k", k), ("v", v))
        )
        group = w.shape.group
        return np.concatenate(
            [
                self.head(q[head], keys[:, head // group], values[:, head // group])
                for head in range(w.heads)
            ]
        )

    def projected(self, normal: Ints) -> list[Ints]:
        """Codes of query, key and value of the new token, each (heads, head_dim)."""
        w = self.workload
        cuts = [w.hidden, w.hidden + w.kv_width]
        sums = np.split(normal @ self.codes["qkv"], cuts)
        biases = np.split(self.known["qkv_bias"], cuts)
        return [
            code(scaled(part, self.known[f"f_{name}"][0], bias)).reshape(-1, w.head_dim)
            for name, part, bias in zip("qkv", sums, biases, strict=True)
        ]

    def head(self, query: Ints, keys: Ints, values: Ints) -> Ints:
        """Codes of the output of a head."""
        lanes = self.params.vector_lanes
        weights, norm_sum = softmax(keys @ query, self.known["f_logit"][0], lanes)
        page = len(keys)
        if not self.params.on_array:
            page = self.params.channel.row_elements // self.workload.value_heads
        sums = added(
            np.stack(
                [
                    weights[first : first + page] @ values[first : first + page]
                    for first in range(0, len(keys), page)
                ]
            )
        )
        return code(sums, self.known["f_attend"][0] / norm_sum)
