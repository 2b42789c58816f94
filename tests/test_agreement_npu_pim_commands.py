"""The command bus of a channel: the controller's RTL against the model, cycle by cycle."""

import random
from dataclasses import replace

import pytest
from npu_pim_channels import POINTS
from npu_pim_controller import access, play, tile, vector

from archmodels.npu_pim.controller import run
from designs.npu_pim.distances import Command

OPENING = (Command.ACT, Command.G_ACT)
MOVING = (Command.RD, Command.WR, Command.COMP, Command.GEMV)


def programs(rng, channel):
    """Units whose tiles and vectors lie in rows that the host goes to as well."""
    pim, host, bank, row = [], [], 0, 0
    for _ in range(3):
        pim.append(vector(rng.randrange(channel.banks), rng.randint(3, 5)))
        for _ in range(rng.randint(1, 3)):
            steps = rng.randint(1, channel.row_steps)
            results = rng.randint(1, channel.row_steps // steps)
            one = tile(rng.randrange(4), steps, results)
            if channel.strides:
                one = replace(one, stride=rng.randint(steps, channel.row_steps // results))
            pim.append(one)
    for tag in range(80):
        if rng.random() < 0.5:
            bank, row = rng.randrange(channel.banks), rng.randrange(7)
        column, write = rng.randrange(channel.accesses), rng.random() < 0.4
        host.append(access(bank, row, column, write=write, tag=tag))
    return pim, host


def fields(cycle, command, bank, row, column, steps):
    """Those that a command has."""
    return (
        cycle,
        command.name,
        bank,
        row if command in OPENING else None,
        column if command in MOVING else None,
        steps if command == Command.GEMV else None,
    )


@pytest.mark.spread({"small", "single_steps"})
@pytest.mark.parametrize("name", POINTS)
def test_commands_are_those_of_the_model(name):
    rng = random.Random(name)
    channel = replace(
        POINTS[name], host_queue=rng.randint(1, 5), pim_queue=rng.randint(1, 4), rows=16
    )
    pim, host = programs(rng, channel)
    issues = run(channel, pim, host).issues
    told = play(channel, pim, [(one, 0) for one in host], cycles=issues[-1].cycle + 1).commands
    assert [
        fields(one.cycle, one.command, one.bank, one.row, one.column, one.steps) for one in told
    ] == [
        fields(one.cycle, one.command, one.bank, one.row, one.step.column, one.steps)
        for one in issues
    ]
