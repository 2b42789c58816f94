"""`hwgen serve`: requests that come over time, answered by an NPU on memory that computes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path

from designs import DesignError
from designs.npu_pim import Interleave, Packing, ServingPolicy, Split
from designs.npu_pim.lengths import DATASETS
from dse import arguments
from dse.arguments import Commands
from dse.commands.model import technology_of
from dse.files import output_folder, whole
from dse.text import Outcome, energy_text, table

SYSTEMS = ("neupims", "corrected", "blocked")
"""Of `dse.serving`, which is imported late."""

PICTURES = (".png", ".svg")

POLICY = ServingPolicy()


def add(commands: Commands) -> None:
    """Add serve to the command line."""
    serving = arguments.command(
        commands, "serve", run, "requests over time on NeuPIMs: throughput, latency, energy",
        ["hwgen serve gpt3_7b --trace requests.csv --batch 256 --plot build/serve.png",
         "hwgen serve gpt3_7b --dataset sharegpt --requests 1000 --rate 60",
         "hwgen serve llama3_8b --dataset alpaca --tp 2 --prefill 256 --json",
         "hwgen serve gpt3_7b --dataset sharegpt --set channel.precharge=channel",
         "a trace has columns seq_len, and output_len, arrival_s, ch_idx if need be;",
         "docs/npu_pim_serving.md says what is counted"],
    )  # fmt: skip
    serving.add_argument("model", metavar="MODEL", help="a language model, as gpt3_7b")
    _requests(serving)
    serving.add_argument(
        "--system",
        choices=SYSTEMS,
        default="corrected",
        help="as published; with its holes closed, sums over devices and new keys "
        "and values charged; or that with one row buffer (default: corrected)",
    )
    serving.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one of the device's params",
    )
    serving.add_argument(
        "--tp",
        type=arguments.size,
        metavar="N",
        help="devices that share each block (default: the model's)",
    )
    serving.add_argument(
        "--pp",
        type=arguments.size,
        metavar="N",
        help="groups of devices, one after the other (default: the model's)",
    )
    _policy(serving)
    arguments.technology(serving)
    serving.add_argument(
        "--plot", metavar="FILE", help="draw throughput, batch and times: a .png or .svg file"
    )


def _requests(serving: ArgumentParser) -> None:
    source = serving.add_mutually_exclusive_group(required=True)
    source.add_argument("--trace", metavar="FILE", help="requests, a CSV file")
    source.add_argument(
        "--dataset", choices=DATASETS, help="requests drawn from a data set's lengths"
    )
    serving.add_argument(
        "--requests",
        type=arguments.size,
        default=1000,
        metavar="N",
        help="that are drawn (default: %(default)s)",
    )
    serving.add_argument(
        "--rate",
        type=arguments.rate,
        metavar="R",
        help="that come in a second, when drawn (default: all at once)",
    )
    serving.add_argument(
        "--seed",
        type=arguments.seed,
        default=1,
        metavar="N",
        help="of what is drawn (default: %(default)s)",
    )


def _policy(serving: ArgumentParser) -> None:
    serving.add_argument(
        "--batch",
        type=arguments.count,
        default=POLICY.batch,
        metavar="N",
        help="requests that are served at once (default: %(default)s)",
    )
    serving.add_argument(
        "--packing",
        choices=_names(Packing),
        default=_name(POLICY.packing),
        help="the channel of a request (default: %(default)s)",
    )
    serving.add_argument(
        "--split",
        choices=_names(Split),
        default=_name(POLICY.split),
        help="sub-batches (default: %(default)s)",
    )
    serving.add_argument(
        "--interleave",
        choices=_names(Interleave),
        help="sub-batches take turns (default: adaptive; blocked: never)",
    )
    serving.add_argument(
        "--append",
        type=arguments.count,
        metavar="N",
        help="tokens whose values are written at once; 0: new keys and values cost "
        "nothing (default: what takes least; neupims: 0)",
    )
    serving.add_argument(
        "--prefill",
        type=arguments.count,
        default=POLICY.prefill_tokens,
        metavar="N",
        help="tokens of prompts that ride in an iteration; 0: prompts are "
        "prefilled elsewhere (default: %(default)s)",
    )
    serving.add_argument(
        "--queue",
        type=arguments.count,
        default=POLICY.queue,
        metavar="N",
        help="requests that may wait, others are refused; 0: all wait (default: %(default)s)",
    )


def _name(choice: IntEnum) -> str:
    return choice.name.lower()


def _names(choices: type[IntEnum]) -> list[str]:
    return [_name(one) for one in choices]


def run(args: Namespace) -> Outcome:
    """Serve all requests, and say how fast, how busily and at what energy."""
    from archmodels.npu_pim.serving import serve
    from dse.serving import asked, figures

    if args.plot is not None and Path(args.plot).suffix not in PICTURES:
        rule = f"must be a file that ends in {' or '.join(PICTURES)}"
        raise DesignError(f"--plot {rule}, not {args.plot}")
    prices = technology_of(args)
    want = asked(args)
    found = serve(want.device, want.model, want.requests, want.policy)
    content: dict[str, object] = {"model": args.model, "system": want.system}
    content |= figures(want, found, prices)
    files = []
    if args.plot is not None:
        from dse.serving_plot import draw

        path = Path(args.plot)
        output_folder(path.parent, "--plot")
        with whole(path) as partial:
            draw(found, want.device.clock_hz, _title(content), partial)
        files = [str(path)]
    content["files"] = files
    return Outcome(content=content, text="\n".join([_text(content), *files]))


def _title(content: Mapping[str, object]) -> str:
    return f"{content['model']} on {content['devices']} devices, {content['system']}"


def _text(content: Mapping[str, object]) -> str:
    rows: list[Sequence[object]] = [
        (name.replace("_", " "), content[name], unit)
        for name, unit in (
            ("requests", ""),
            ("refused", ""),
            ("waiting_most", ""),
            ("tokens", ""),
            ("iterations", ""),
            ("interleaved_iterations", ""),
            ("seconds", "s"),
            ("tokens_per_s", "tokens/s"),
            ("batch_mean", "requests"),
        )
    ]
    times = [("", "mean", "p50", "p99")] + [
        (f"{label} [ms]", *[_told(content[f"{name}_{key}_ms"]) for key in ("mean", "p50", "p99")])
        for name, label in (
            ("between_tokens", "time between tokens"),
            ("first_token", "time to first token"),
            ("wait", "wait for a place"),
            ("latency", "request in all"),
        )
    ]
    shares, energies = content["utilisation"], content["energy_pj_per_token"]
    told: list[Sequence[object]] = []
    if isinstance(shares, dict) and isinstance(energies, dict):
        told += [(name.replace("_", " "), f"{value:.1%}") for name, value in shares.items()]
        told += [
            (f"{name.replace('_', ' ')} energy", f"{energy_text(value)} per token")
            for name, value in energies.items()
        ]
    for name in ("memory_energy", "device_energy"):
        value = content[f"{name}_pj_per_token"]
        if isinstance(value, float):
            told.append((name.replace("_", " "), f"{energy_text(value)} per token"))
    return "\n".join([_title(content), table(rows), "", table(times), "", table(told)])


def _told(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else "not counted"
