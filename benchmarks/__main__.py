"""The commands: `python -m benchmarks core | peers | memory | tracer | debugger`."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

import click

import machine as am
from benchmarks import core as core_bench
from benchmarks import memory as memory_bench
from benchmarks import peers as peers_bench
from benchmarks.core import Figures
from benchmarks.table import heading, ns, table
from benchmarks.workloads import REFERENCE_NS

CLIENTS, PER_SECOND = 300, 30_000
"""The load of `debugger --load`."""


@click.group()
def main() -> None:
    """Measure the library; figures are in nanoseconds unless a unit is given."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--only", multiple=True, help="Only this workload; may be repeated.")
@click.option("--runs", default=7, show_default=True, help="Runs per workload.")
@click.option("--cold", is_flag=True, help="Time the first pass over an unknown schema.")
@click.option("--no-cache", is_flag=True, help="Remember no plan, the worst case.")
def core(as_json: bool, only: tuple[str, ...], runs: int, cold: bool, no_cache: bool) -> None:
    """Compare all workloads with the reference; a ratio above 1 is faster."""
    cache = 0 if no_cache else am.NODES_MAX
    wanted = only or core_bench.names(cold=cold)
    unknown = [name for name in wanted if name not in core_bench.names()]
    if unknown:
        raise click.BadParameter(f"no such workload: {', '.join(unknown)}")
    if not as_json:
        click.echo(heading())
    found = {n: core_bench.measure(n, runs, cache=cache, cold=cold) for n in wanted}
    if as_json:
        printed = {n: {"median_ns": f.median, "min_ns": f.fastest} for n, f in found.items()}
        click.echo(json.dumps(printed))
    else:
        head = ["workload", "median", "fastest", "slowest", "CPU", "Go v0.19.1", "ratio"]
        click.echo(table(head, [_row(name, figures) for name, figures in found.items()]))


def _row(name: str, figures: Figures) -> list[str]:
    times = (figures.median, figures.fastest, figures.slowest, figures.cpu)
    reference = REFERENCE_NS.get(name)
    if reference is None:
        return [name, *map(ns, times), "", ""]
    return [name, *map(ns, times), ns(reference), f"{reference / figures.median:.1f}"]


@main.command()
@click.option("--runs", default=9, show_default=True, help="Runs per figure.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def peers(runs: int, as_json: bool) -> None:
    """Compare other Python libraries on the same jobs (extra `bench`)."""
    found = peers_bench.measure(runs)
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(heading())
    rows = [[name, *(ns(row[job]) for job in peers_bench.JOBS)] for name, row in found.items()]
    click.echo(table(["library, CPU ns", *peers_bench.JOBS], rows))
    for name in peers_bench.missing():
        click.echo(f"not installed: {name}", err=True)


@main.command()
@click.option("--steps", default=memory_bench.STEPS_FAR, show_default=True, help="Moves to time.")
@click.option("--runs", default=3, show_default=True, help="Runs of the walk.")
def memory(steps: int, runs: int) -> None:
    """Measure the memory of the plan cache and of machines, and a walk without cache hits."""
    click.echo(heading())
    met = memory_bench.configurations(steps)
    cached, bare = memory_bench.walk_ns(steps, runs)
    full, used = memory_bench.cache_bytes(), memory_bench.cache_bytes(used=True)
    rows = [
        ["plan cache at its fullest, MB", f"{full / 1e6:.1f}"],
        ["the same with handlers and a tracer, every configuration read, MB", f"{used / 1e6:.1f}"],
        ["one machine of a known schema, bytes", f"{memory_bench.machine_bytes():,.0f}"],
        ["the same after two mutations, bytes", f"{memory_bench.machine_bytes(used=True):,.0f}"],
        [f"a move of a walk through {met:,} configurations, CPU ns", ns(cached)],
        ["the same without a cache, CPU ns", ns(bare)],
        ["with / without", f"{cached / bare:.2f}"],
    ]
    click.echo(table(["what", "figure"], rows))


@main.command()
@click.option("--seconds", default=10.0, show_default=True, help="Duration of the steady load.")
@click.option(
    "--stuck", default=200_000, show_default=True, help="Mutations while the debugger never reads."
)
def tracer(seconds: float, stuck: int) -> None:
    """Measure the cost of tracing, with a debugger in another process."""
    from benchmarks import tracer as bench

    click.echo(heading())
    rows = []
    for name, events, first in (
        ("repeated", bench.repeated(50_000), 10_000),
        ("missed", bench.missed(50_000), 10_000),
        ("all different, with arguments", bench.unique(10_000), 0),
    ):
        encoded = bench.encode(events, first)
        rows.append([f"{name}: bytes", f"{encoded.bytes:.1f}"])
        rows.append([f"{name}: encoding, CPU ns", ns(encoded.ns)])
        rows.append([f"{name}: receiving, CPU ns", ns(bench.ingest(encoded.sent, first))])
    added = bench.paced(seconds)
    rows += [
        [f"at {bench.PER_SECOND:,}/s: transitions sent", f"{added.made:,}"],
        ["of these received", f"{added.arrived:,}"],
        ["bytes", f"{added.bytes:.1f}"],
        ["mutating thread, p50 beyond a silent tracer", ns(added.p50)],
        ["mutating thread, p99 beyond a silent tracer", ns(added.p99)],
        ["mutating thread, longest", ns(added.longest)],
        ["mutating thread, longest with a silent tracer", ns(added.longest_silent)],
        ["all other threads, CPU", ns(added.others)],
    ]
    ours, bare = bench.stuck(stuck)
    rows += [
        [f"longest of {stuck:,} mutations, the other side never reads", ns(max(ours))],
        ["longest of as many without a tracer", ns(max(bare))],
    ]
    click.echo(table(["tracer, a transition", "ns, or the given unit"], rows))


@main.command()
@click.option("--transitions", default=1_000_000, show_default=True, help="Length of the session.")
@click.option("--machines", default=1, show_default=True, help="Machines that take turns.")
@click.option("--new", "is_new", is_flag=True, help="Every transition is new, the worst case.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--load", is_flag=True, help="300 clients at once instead of a session.")
@click.option("--seconds", default=60.0, show_default=True, help="Duration of that load.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the session in this folder.")
def debugger(
    transitions: int,
    machines: int,
    is_new: bool,
    as_json: bool,
    load: bool,
    seconds: float,
    keep: Path | None,
) -> None:
    """Measure the debugger with a long session: its file, its screen, its store."""
    from benchmarks import debugger as bench
    from benchmarks import debugger_load
    from benchmarks.debugger_sessions import Program

    if load:
        met = debugger_load.measure(CLIENTS, PER_SECOND, seconds)
        rows = [[label, _shown(met[key])] for key, label in debugger_load.LABELS.items()]
        click.echo(json.dumps(met) if as_json else table(["what", "figure"], rows))
        return
    program = Program.NEW if is_new else Program.REPEATING
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures = bench.measure(program, transitions, machines, folder)
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(heading())
    click.echo(table(["what", "figure", "Go v0.10.1"], bench.rows(figures, _shown)))


def _shown(value: float) -> str:
    """A figure with as many decimals as it needs."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    logging.getLogger("asyncmachine").setLevel(logging.ERROR)  # schemas made by dice are odd
    main()
