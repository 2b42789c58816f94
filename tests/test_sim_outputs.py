"""Where outputs are not the golden's."""

import numpy as np
import pytest

from sim.outputs import by_name, difference

GOLDEN = {"o": np.arange(12).reshape(3, 4), "p": np.zeros(2)}


def test_a_single_tensor_is_called_o():
    assert by_name(GOLDEN) is GOLDEN
    assert [*by_name(GOLDEN["o"])] == ["o"]


def test_equal_outputs_have_no_difference():
    assert difference(GOLDEN, {name: tensor.copy() for name, tensor in GOLDEN.items()}) == ""


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"o": GOLDEN["o"] % 10}, "o[2, 2]: 0 in the RTL, 10 in the golden; 2 of 12 differ"),
        ({"p": np.array([0, 0.5])}, "p[1]: 0.5 in the RTL, 0.0 in the golden; 1 of 2 differ"),
        ({"o": GOLDEN["o"].T}, "o: shape (4, 3) in the RTL, (3, 4) in the golden"),
        ({"q": GOLDEN["p"]}, "outputs: o, p, q in the RTL, o, p in the golden"),
    ],
)
def test_the_first_difference_and_how_many_there_are(changed, sentence):
    assert difference(GOLDEN | changed, GOLDEN) == sentence
