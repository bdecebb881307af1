"""How far can the standard deviations of an ensemble be trusted, on real oxides?

    python benchmarks/uncertainty.py
    python benchmarks/uncertainty.py --n_train 500 --target band_gap --n_ensemble 3 --epochs 20

Trains an ensemble on a random sample of the training split of the Materials Project 2018 set and
compares errors with standard deviations on a sample of its validation split. The factor that makes
the spread a standard deviation comes from a tenth of the training sample, so the scored crystals take
no part in it. Writes the numbers as JSON and the curves as a picture beside it, which needs
matplotlib. Data: mp2018.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from common import load_crystals, parse, parser_of, write_result
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.integrate import trapezoid
from scipy.stats import norm, spearmanr

from amdnet_matminer.estimators import AMDNetRegressor
from amdnet_matminer.plots import unshown_figure

UNITS = {"band_gap": "eV", "formation_energy_per_atom": "eV/atom"}
CONFIDENCE = np.linspace(0.0, 1.0, 21)
"""Central intervals of the normal distribution that are compared with what is in them."""

Array = NDArray[np.float64]


def main() -> None:
    """Train and compare for every target, and write the results."""
    parser = parser_of(__doc__)
    parser.add_argument("--n_train", type=int, default=2000)
    parser.add_argument("--n_test", type=int, default=800)
    parser.add_argument("--target", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--n_ensemble", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=AMDNetRegressor().epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache_dir", type=Path, help="folder that keeps graphs")
    parser.add_argument("--n_jobs", type=int, default=1, help="trainings at a time")
    options = parse(parser)
    train, labels = load_crystals("mp2018", split="train", oxides=True, limit=options.n_train)
    test, expected = load_crystals("mp2018", split="val", oxides=True, limit=options.n_test)
    given = {name: getattr(options, name) for name in ("n_ensemble", "epochs", "cache_dir", "n_jobs")}
    for target in options.target:
        model = AMDNetRegressor(
            **given, non_negative=target == "band_gap", random_state=options.seed, verbose=1
        )
        start = perf_counter()
        model.fit(train, labels[target].to_numpy(float))
        fitting = {"n_training": len(train), "seconds": round(perf_counter() - start, 1)}
        result = fitting | {"target": target, "unit": UNITS[target], "seed": options.seed}
        result |= compare(model, test, expected[target].to_numpy(float))
        path = write_result(f"uncertainty-{target}", result, options.allow_dirty)
        draw(result, path.with_suffix(".png"))
        print(path, {name: result[name] for name in ("mae", "spearman", "miscalibration_area")})


def compare(model: AMDNetRegressor, structures: list[Structure], y: Array) -> dict[str, Any]:
    """Compare the errors of a model with its standard deviations.

    Args:
        model: A fitted ensemble.
        structures: S crystals that took no part in training.
        y: Their targets, shape (S,).

    Returns:
        Errors and calibration before (``uncalibrated``) and after the factor; Spearman's
        correlation of error and standard deviation, and of error and novelty; errors by tenths
        of the standard deviation, and of crystals with and without something new.
    """
    mean, std = model.predict(structures, return_std=True)
    single, *_ = model.members_
    error, novelty = np.abs(mean - y), model.novelty(structures)
    uncalibrated = calibration(error, std / model.std_factor_)
    return {
        "data": "mp2018 oxides, train and val split, random samples of seed 0",
        "n_test": len(y),
        "n_ensemble": len(model.weights_),
        "epochs_done": model.n_iter_,
        "mae": float(error.mean()),
        "mae_of_one_network": float(np.abs(single.predict(structures) - y).mean()),
        "std_factor": model.std_factor_,
        **calibration(error, std),
        "uncalibrated": {name: uncalibrated[name] for name in ("observed", "miscalibration_area")},
        "spearman": float(spearmanr(error, std).statistic),
        "tenths": tenths(error, std),
        "novelty": by_novelty(error, std, novelty),
    }


def calibration(error: Array, std: Array) -> dict[str, Any]:
    """Which part of the errors is within intervals that should hold given parts of them.

    Args:
        error: Absolute, shape (S,).
        std: Standard deviations, shape (S,).

    Returns:
        ``expected`` and ``observed`` parts, and the area between that curve and the
        diagonal (Kuleshov et al., arXiv 1807.00263; Tran et al., arXiv 1912.10066).
    """
    ratio = error / np.maximum(std, np.finfo(float).tiny)
    observed = np.array([(ratio <= width).mean() for width in norm.ppf(0.5 + CONFIDENCE / 2)])
    return {
        "expected": CONFIDENCE.round(3).tolist(),
        "observed": observed.round(4).tolist(),
        "miscalibration_area": float(trapezoid(np.abs(observed - CONFIDENCE), CONFIDENCE)),
    }


def tenths(error: Array, std: Array) -> dict[str, list[float]]:
    """Mean error and mean standard deviation of the surest tenth of the crystals, and so on."""
    parts = np.array_split(np.argsort(std), 10)
    return {
        "std": [float(std[part].mean()) for part in parts],
        "mae": [float(error[part].mean()) for part in parts],
    }


def by_novelty(error: Array, std: Array, novelty: Array) -> dict[str, Any]:
    """Errors and standard deviations of crystals in which nothing, or something, is new."""
    groups = {"nothing new": novelty == 0.0, "something new": novelty > 0.0}
    return {
        name: {"n": int(group.sum()), "mae": float(error[group].mean()), "std": float(std[group].mean())}
        for name, group in groups.items()
        if group.any()
    }


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw the calibration curve, and error against standard deviation.

    Args:
        result: What ``compare`` gives, with ``target`` and ``unit``.
        path: The picture to write.
    """
    figure = unshown_figure((9.0, 4.2))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    left.plot(result["expected"], result["uncalibrated"]["observed"], "--", color="#E69F00", label="spread")
    left.plot(result["expected"], result["observed"], color="#0072B2", label="standard deviation")
    left.set(xlabel="part of errors expected in interval", ylabel="part found in it", aspect="equal")
    left.set_title(f"miscalibration area {result['miscalibration_area']:.3f}")
    left.legend(frameon=False)
    std, mae = result["tenths"]["std"], result["tenths"]["mae"]
    right.plot(std, mae, "o-", color="#0072B2")
    right.set(xlabel=f"mean standard deviation of a tenth of the crystals ({result['unit']})")
    right.set(ylabel=f"its MAE ({result['unit']})", xlim=(0, None), ylim=(0, None))
    right.set_title(f"rank correlation, all crystals: {result['spearman']:.2f}")
    figure.suptitle(f"{result['target'].replace('_', ' ')}, {result['n_test']} oxides")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
