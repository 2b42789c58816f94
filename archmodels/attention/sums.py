"""Sums of rounded quotients over arithmetic progressions, in closed form."""

from designs.rules import Flag, Int, anywhere, maximum, where


def floor_sum(count: Int, step: Int, start: Int, divisor: Int) -> Int:
    """Sum of (step * x + start) // divisor over 0 <= x < count; all >= 0, divisor >= 1.

    Counts the points of the lattice below a line, as Euclid's algorithm goes: a turn of the loop
    takes out the whole parts of slope and start, then exchanges the axes.
    """
    total: Int = 0
    going: Flag = count > 0
    while anywhere(going):
        whole = (count - 1) * count // 2 * (step // divisor) + count * (start // divisor)
        total = total + where(going, whole, 0)
        step, start = step % divisor, start % divisor
        reach = step * count + start
        going = going & (reach >= divisor)
        count, start, step, divisor = (
            where(going, reach // divisor, 0),
            reach % divisor,
            divisor,
            maximum(step, 1),
        )
    return total
