"""From a dataframe of crystals to a model that explains itself in motifs, and to similar materials.

The target is the electrostatic (Ewald) energy per atom of the built-in oxides, with
formal charges. With --output it also draws the map of motifs, how they share ligands,
and the motif graph of the crystal that is asked about.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amdnet_matminer import MotifFeaturizer, motif_graph, motif_graphs
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import plot_motif_graph, plot_motif_map, plot_sharing
from amdnet_matminer.pretrained import pretrained_motif2vec

TARGET = "ewald_energy_per_atom"


def main() -> None:
    """Featurize, fit, explain, and search."""
    options = parse()
    data = oxides()
    featurizer = MotifFeaturizer.from_preset("mp2018")
    featurizer.set_n_jobs(1)
    features = featurizer.featurize_dataframe(data[["structure"]], "structure", pbar=False)
    features = features.drop(columns="structure")
    print(f"{len(features)} oxides, {features.shape[1]} features of their motifs")

    explain(features, data[TARGET])
    print(f"\nmaterials most like {options.like}:")
    print(similar(features, options.like).to_string())
    print("\nmotifs that live like TiO6 octahedra:")
    print(pretrained_motif2vec("mp2018").most_similar("TiO6 octahedral", n=5).round(3).to_string())

    if options.output:
        options.output.mkdir(exist_ok=True)
        plot_motif_map(pretrained_motif2vec("mp2018"), path=options.output / "motif_map.png")
        plot_sharing(motif_graphs(data.structure), path=options.output / "sharing.png")
        crystal = motif_graph(data.structure[options.like])
        plot_motif_graph(crystal, options.like, path=options.output / "motif_graph.png")


def explain(features: pd.DataFrame, target: pd.Series) -> None:
    """Fit a random forest, score it, and say which features it cannot do without."""
    parts = train_test_split(features, target, test_size=0.2, random_state=0)
    x_train, x_test, y_train, y_test = parts
    forest = RandomForestRegressor(max_features=1 / 3, random_state=0).fit(x_train, y_train)
    print(f"mean value    MAE {mean_absolute_error(y_test, [y_train.mean()] * len(y_test)):.3f} eV/atom")
    print(f"random forest MAE {mean_absolute_error(y_test, forest.predict(x_test)):.3f} eV/atom")
    # Only features that the forest uses at all are worth shuffling.
    used = features.columns[forest.feature_importances_.argsort()[::-1][:15]]
    smaller = RandomForestRegressor(random_state=0).fit(x_train[used], y_train)
    shuffled = permutation_importance(
        smaller, x_test[used], y_test, scoring="neg_mean_absolute_error", random_state=0
    )
    rise = pd.Series(shuffled.importances_mean, used).nlargest(5)
    print("\nrise of the error when a feature is shuffled (eV/atom):")
    print(rise.round(3).to_string())


def similar(features: pd.DataFrame, name: str, n: int = 5) -> pd.Series:
    """The materials nearest to one in standardised features, with their distances."""
    pipeline = make_pipeline(StandardScaler(), NearestNeighbors(n_neighbors=n + 1)).fit(features)
    scaled = pipeline[0].transform(features.loc[[name]])
    distance, place = pipeline[-1].kneighbors(scaled)
    found = pd.Series(distance[0], features.index[place[0]]).drop(name)
    return found.round(1)


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--like", default="perovskite-SrTiO3", help="material to find others like")
    parser.add_argument("--output", type=Path, help="folder for the pictures; none are drawn without")
    return parser.parse_args()


if __name__ == "__main__":
    main()
