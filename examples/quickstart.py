"""Train an atom-motif dual graph network on the built-in oxides and predict new ones.

The target is the electrostatic (Ewald) energy per atom with formal charges: it
depends on the structure and is exact, but it is no DFT energy.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

from amdnet_matminer import AMDNetRegressor, MotifFeaturizer
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import learning_curve_plot, parity_plot

TARGET = "ewald_energy_per_atom"


def main() -> None:
    """Featurize, fit, predict, compare, and save what came out."""
    options = parse()
    options.output.mkdir(exist_ok=True)

    data = oxides()
    train, test = train_test_split(data, test_size=0.2, random_state=0)
    print(f"{len(data)} oxides of {data.prototype.nunique()} prototypes; {len(test)} are held out")

    featurizer = MotifFeaturizer()
    vectors = featurizer.fit_transform(train.structure)
    forest = RandomForestRegressor(random_state=0).fit(vectors, train[TARGET])
    network = AMDNetRegressor(epochs=options.epochs, learning_rate=3e-3, random_state=0, verbose=1)
    network.fit(train.structure, train[TARGET])

    predicted = network.predict(test.structure)
    results = {
        "mean value": np.full(len(test), train[TARGET].mean()),
        "random forest on motif vectors": forest.predict(featurizer.transform(test.structure)),
        "atom-motif dual graph network": predicted,
    }
    for name, values in results.items():
        print(f"{name:32s} MAE {mean_absolute_error(test[TARGET], values):7.3f} eV/atom")

    parity_plot(test[TARGET], predicted, "Ewald energy", "eV/atom", path=options.output / "parity.png")
    learning_curve_plot(network.history_, "eV/atom", path=options.output / "learning_curve.png")
    network.save(options.output / "model.amdnet")
    print(f"plots and model are in {options.output}")


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=Path("quickstart-output"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
