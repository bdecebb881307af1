"""Write the result tables of the site and of the README from the JSON files in benchmarks/results.

python benchmarks/make_tables.py
"""

from __future__ import annotations

from typing import Any

import matbench_tables
import numpy as np
from common import RESULTS, ROOT
from model_tables import fine_tuning, more_crystals
from network_tables import embeddings, explanations, network_accuracy, network_speed, trials
from tables import grid, n_labelled, read, table

BEGIN, END = "<!-- tables -->\n", "<!-- /tables -->"


def main() -> None:
    """Replace the tables of the page of results, and the README's summary of them."""
    for path, make in ((ROOT / "docs" / "results.md", with_tables), (ROOT / "README.md", with_summary)):
        path.write_text(make(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_summary(text: str) -> str:
    """The README's text with its results made anew."""
    begin, end = "<!-- summary -->\n", "<!-- /summary -->"
    before, rest = text.split(begin)
    return before + begin + "\n" + summary() + "\n" + end + rest.split(end)[1]


def summary() -> str:
    """What a reader asks first, a line each, and the scores on MatBench."""
    pretrained = [
        read(RESULTS / f"pretrained-mp2018-{name}.json") for name in ("band-gap", "formation-energy")
    ]
    shipped = [
        [
            f"{target.replace('_', ' ')}, {result['n_validation']:,} crystals of mp2018's validation part",
            f"{errors['mae']:.3f} {errors['unit']}",
        ]
        for result in pretrained
        for target, errors in result["errors"].items()
    ]
    speed = read(RESULTS / "training_speed-compare.json")
    ratio = speed["ratios"]["ours, amdnet"]["training / faster peer"]
    mark = " †" * (speed["date"] < matbench_tables.NETWORK_SINCE)
    engine_ratio = read(RESULTS / "motif_engine.json")["speed"]["ratio"]
    rows = [
        *shipped,
        ["training, beside the faster of matgl and megnet" + mark, f"{ratio:.1f} times as fast"],
        ["motifs, beside CrystalNN and its fingerprint", f"{engine_ratio:.0f} times as fast"],
    ]
    in_short = grid(["what", "mean absolute error, or rate"], rows)
    return f"{in_short}\n\n{matbench_tables.front_page()}\n"


def with_tables(text: str) -> str:
    """The text of the page with its tables made anew."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + "\n".join(tables()) + END + after


def tables() -> list[str]:
    """All tables of the page, in their order."""
    return [
        ablation(),
        speed(),
        where_time_goes(),
        growth(),
        screening(),
        million(),
        memory(),
        accuracy(),
        more_crystals(),
        motif_features(),
        matbench_tables.scores(),
        matbench_tables.fold_by_fold(),
        matbench_tables.baselines(),
        matbench_tables.recipes(),
        uncertainty(),
        robustness(),
        engine(),
        network_accuracy(),
        network_speed(),
        explanations(),
        embeddings(),
        fine_tuning(),
        trials(),
    ]


def ablation() -> str:
    """What the motif level is worth."""
    results = [read(path) for path in sorted(RESULTS.glob("ablation-*.json"))]
    heads = [f"{r['data']}, {r['target'].replace('_', ' ')} ({r['unit']})" for r in results]
    names = list(dict.fromkeys(run["variant"] for run in results[0]["runs"]))
    rows = []
    for name in names:
        runs = [[run for run in r["runs"] if run["variant"] == name] for r in results]
        errors = [[run["mae"] for run in own] for own in runs]
        rows.append(
            [
                name,
                f"{runs[0][0]['parameters']:,}",
                *(f"{np.mean(e):.3f} ± {np.ptp(e) / 2:.3f}" for e in errors),
            ]
        )
    sizes = "; ".join(f"{r['data']}: {r['n_train']} crystals, {r['epochs']} epochs" for r in results)
    title = (
        f"**What the motifs are worth.** MAE on crystals that took no part, mean over seeds "
        f"{results[0]['seeds']} and half their range; {sizes}, CPU. Parameters are all that a network has: "
        "nearly half of those of *atoms only* are of the motif level, of which it is shown nothing."
    )
    return table(title, ["network", "parameters", *heads], rows, *results)


def speed() -> str:
    """Training and prediction rates beside the peers."""
    result = read(RESULTS / "training_speed-compare.json")
    predictions = {"prediction": 0, "prediction_when_loaded": 0, "predict_structure": 1}
    rates = {
        name: {phase: np.median([r[name][phase] for r in result["rounds"]]) for phase in phases}
        for name, phases in result["rounds"][0].items()
    }
    rows = [
        [
            name,
            f"{rate['training']:.0f}",
            f"{result['ratios'][name]['training / faster peer']:.1f}" if name in result["ratios"] else "",
            *(f"{rate[phase]:.{digits}f}" if phase in rate else "" for phase, digits in predictions.items()),
        ]
        for name, rate in rates.items()
    ]
    title = (
        f"**Speed.** Crystals per second on {result['machine']['cores']} cores, {result['n_crystals']} of "
        f"Materials Project, trained in batches of {result['batch_size']}, graphs ready; medians of "
        f"{len(result['rounds'])} alternating round(s). A model just loaded is compiled by XLA, as one "
        "just trained is, from 10,000 crystals on."
    )
    heads = ["network", "training", "times the faster peer", "prediction", "just loaded", "one call each"]
    return table(title, heads, rows, result)


def where_time_goes() -> str:
    """What a training step is made of."""
    result = read(RESULTS / "training_speed-profile.json")
    steps = {
        name: parts for name, parts in result.items() if isinstance(parts, dict) and "step (ms)" in parts
    }
    rate, columns = "matrix rate reached", [name for name in next(iter(steps.values())) if "(ms)" in name]
    rows = [
        [name, *(f"{parts[column]:.1f}" for column in columns), f"{100 * parts[rate]:.0f}%"]
        for name, parts in steps.items()
    ]
    title = (
        "**Where the time of a training step goes.** Batches of 32; operations are timed one by one, "
        "forward and backward, so that what is compiled into one counts more than once; a large float32 "
        f"matrix product reaches {result['gigaflops of one large product']:.0f} Gflop/s here."
    )
    return table(title, ["network", *columns, rate], rows, result)


def growth() -> str:
    """How the time of an epoch grows."""
    result = read(RESULTS / "training_speed-growth.json")
    by = {"crystals": "{} crystals", "atoms": "1,000 of {} atoms", "width": "1,000, width {}"}
    rows = [
        [text.format(value), f"{seconds:.2f}"]
        for name, text in by.items()
        for value, seconds in result[name].items()
    ]
    title = (
        "**How an epoch of the default network grows.** Two epochs each, once, so that the same network on "
        "the same 1,000 crystals (width 64) differs; lines of atoms begin above the line before."
    )
    return table(title, ["trained on", "seconds an epoch"], rows, result)


def motif_features() -> str:
    """Errors of models on motif features, and what they cost."""
    result = read(RESULTS / "motif_features.json")
    targets, models = ("band_gap", "formation_energy_per_atom"), ("random forest", "boosting")
    rows = [
        [f"{part['n_training']:,} / {part['n_test']:,}", name]
        + [f"{part[target][name][model]:.3f}" for target in targets for model in models]
        for part in (result["oxides"], result["peer"])
        for name in part[targets[0]]
        if name != "mean value"
    ]
    time = result["milliseconds"]
    title = (
        "**Motif features.** MAE on oxides of the Materials Project's validation split. A crystal takes "
        f"{time['motifs']:.0f} ms, and {time['SiteStatsFingerprint']:.0f} ms with `SiteStatsFingerprint`."
    )
    heads = ["trained / tested on", "features", "gap, forest (eV)", "gap, boosting"]
    return table(title, [*heads, "energy, forest (eV/atom)", "energy, boosting"], rows, result)


def screening() -> str:
    """The way from structures and files on, beside others."""
    results = {
        part: read(RESULTS / f"screening-{part}.json") for part in ("graphs", "gaps", "files", "workers")
    }
    graphs, gaps, files, workers = results.values()
    rows = [
        [
            f"structure → dual graph, {label}, one core",
            f"{graphs['medians'][f'now, {how}']:.1f} ms",
            f"{ratio:.1f} × revision {graphs['earlier']}",
        ]
        for how, label in (("chunks", "many at a time"), ("one", "one at a time"))
        for ratio in [graphs["times as fast"][how]]
    ]
    rate = np.median([one["ours"]["gaps"] for one in gaps["rounds"]])
    beside = ", ".join(f"{ratio:.1f} × {peer}" for peer, ratio in gaps["times as fast"].items())
    rows.append(["structures in memory → band gaps, one core", f"{rate:.0f} a second", beside])
    for kind in ("json.gz", "CIFs"):
        rate = np.median([one["ours"]["crystals"] for one in files[kind]["rounds"]])
        what = f"`amdnet predict`, {files['crystals']:,} crystals from {kind}, {files['processes']} cores"
        rows.append([what, f"{rate:.0f} a second", f"{files[kind]['times as fast']:.1f} × matgl"])
    for name, used in workers["efficiency"].items():
        rate = workers["crystals per second"][f"{name}, 2"]
        rows.append(
            [f"CIFs → graphs, two workers of {name}", f"{rate:.0f} a second", f"efficiency {used:.2f}"]
        )
    title = (
        "**From structures and files.** Materials Project 2018; medians of alternating rounds. matgl and "
        "megnet: `predict_structure` of networks of the published size. In memory process time; from files "
        "wall time, our start included and matgl's not."
    )
    return table(title, ["what", "rate", "beside"], rows, *results.values())


def million() -> str:
    """What very many crystals take."""
    result = read(RESULTS / "million.json")
    rows = [
        [
            what,
            f"{took['wall (s)'] / 60:.0f} min",
            f"{took['largest memory (MB)'] / 1024:.1f} GB",
            f"{result['hours for a million, in proportion'][what]:.1f} h",
        ]
        for what, took in result["took"].items()
    ]
    disk = ", ".join(f"{name} {size:,.0f} MB" for name, size in result["disk (MB)"].items())
    title = (
        f"**Very many crystals.** {result['crystals']:,} varied crystals of the Materials Project from one "
        f"parquet file, {result['processes']} cores; memory of all processes together. On disk: {disk}."
    )
    return table(title, ["what", "measured", "memory", "a million, in proportion"], rows, result)


def memory() -> str:
    """What it costs that memory goes back to the system and is fetched again."""
    result = read(RESULTS / "memory.json")
    rows = [
        [
            f"{row['backend']}, {'kept' if row['kept'] else 'not kept'}",
            row["phase"],
            *(f"{row[what]:.1f} s" for what in ("wall", "user", "system")),
            f"{row['page faults (million)']:.2f} million",
            f"{row['largest memory (MB)']:,.0f} MB",
        ]
        for row in result["medians"]
    ]
    title = (
        f"**Memory.** The default network on {result['crystals']:,} oxides, compiled before; memory that is "
        "freed goes back to the system, or is kept by glibc's `MALLOC_` variables. Median of "
        f"{result['rounds']}."
    )
    heads = ["backend, memory", "work", "wall", "user", "system", "page faults", "largest memory"]
    return table(title, heads, rows, result)


def accuracy() -> str:
    """Errors of the trainings on the Materials Project and NOMAD sets."""
    rows = []
    paths = [*sorted(RESULTS.glob("pretrained-*.json")), *sorted(RESULTS.glob("train_*.json"))]
    results = [read(path) for path in paths]
    for path, result in zip(paths, results, strict=True):
        for target, errors in result["errors"].items():
            by_chemistry = errors.get("by kind", {}).get("chemistry", {})
            oxides = by_chemistry.get("metal oxide", {}).get("mae")
            rows.append(
                [
                    path.stem.removeprefix("train_").replace("pretrained-", "shipped: "),
                    "{:,} / {:,}".format(*_sizes_of(result, errors)),
                    target.replace("_", " "),
                    f"{errors['mae']:.4f} {errors['unit'] or 'wrong'}",
                    "" if oxides is None else f"{oxides:.4f}",
                    f"{_seconds_of(result) / 60:.0f} min",
                ]
            )
    title = (
        "**Accuracy.** MAE on the published validation part of Materials Project 2018.6.1 and on a random "
        "tenth of the moduli, which also chose the epoch, of models called mp also on a fiftieth of the "
        "crystals beside it, and on held-out folds of NOMAD 2018. Of crystals with any of a model's labels "
        "it learns those that are known, such as 81,387 gaps of 100,452 crystals. Published on "
        "the test part of the first, trained on 60,000: ALIGNN 0.218 eV and 0.0221 eV/atom, MEGNet 0.33 and "
        "0.028, boosting on matminer features 0.289 and 0.0508. Of metals the part that is told wrong."
    )
    heads = ["training", "trained / scored on", "target", "MAE", "metal oxides", "wall time"]
    return table(title, heads, rows, *results)


def _sizes_of(result: dict[str, Any], errors: dict[str, Any]) -> tuple[int, int]:
    if "folds" in result:
        return result["folds"][0]["n_train"], sum(fold["n_test"] for fold in result["folds"])
    return result["n_train"], n_labelled(errors) if "by kind" in errors else result["n_validation"]


def _seconds_of(result: dict[str, Any]) -> float:
    return float(result["seconds"] if "seconds" in result else sum(f["seconds"] for f in result["folds"]))


def uncertainty() -> str:
    """How far standard deviations can be trusted."""
    results = [read(path) for path in sorted(RESULTS.glob("uncertainty-*.json"))]
    rows = [
        [
            result["target"].replace("_", " "),
            f"{result['n_training']:,} / {result['n_test']:,}",
            f"{result['n_ensemble']}",
            f"{result['mae_of_one_network']:.3f} → {result['mae']:.3f} {result['unit']}",
            f"{result['miscalibration_area']:.3f}",
            f"{result['spearman']:.2f}",
        ]
        for result in results
    ]
    title = (
        "**Uncertainty.** Oxides of the Materials Project; miscalibration area 0 is perfect and 0.5 the "
        "worst, the rank correlation is that of errors and standard deviations."
    )
    heads = [
        "target",
        "trained / tested on",
        "networks",
        "MAE, one → ensemble",
        "miscalibration",
        "correlation",
    ]
    return table(title, heads, rows, *results)


def robustness() -> str:
    """What malformed input leads to."""
    result = read(RESULTS / "fuzz.json")
    rows = [
        [
            name.replace("_", " "),
            f"{part['cases']:,}",
            ", ".join(f"{kind} {count:,}" for kind, count in part["outcomes"].items()),
            f"{len(part['wrong'])}",
        ]
        for name, part in result["parts"].items()
    ]
    title = (
        "**Malformed input.** `python benchmarks/fuzz.py`; wrong is any other answer than these, or a hang."
    )
    return table(title, ["input", "cases", "answers", "wrong"], rows, result)


def engine() -> str:
    """Speed and agreement of the motif engine."""
    result = read(RESULTS / "motif_engine.json")
    speed, agreement = result["speed"], result["agreement"]
    rows = [
        ["time for an oxide, one core", f"{speed['fast_ms']:.1f} ms", f"{speed['reference_ms']:.0f} ms"],
        ["many crystals, two processes", f"{result['many']['crystals_per_second']:.0f} a second", ""],
        *(
            [
                f"{name}: equal bonds / fingerprints",
                f"{100 * part['same_bonds']:.2f}% / "
                f"{100 * part['same_fingerprint']:.2f}% of {part['sites']:,} sites",
                "100%",
            ]
            for name, part in agreement.items()
        ),
    ]
    title = f"**Motif engine.** {speed['ratio']:.0f} times as fast as pymatgen and matminer together."
    return table(title, ["", "ours", "CrystalNN + fingerprint"], rows, result)


if __name__ == "__main__":
    main()
