"""From a known material to others with the same motifs, joined the same way, and a predicted gap in a window.

The candidates are crystals of the Materials Project where AMDNET_DATA names the folder of the
benchmarks' data, and the built-in oxides otherwise. The gaps are predicted by a model that comes
with the package.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from amdnet_matminer import AMDNetRegressor, MotifNetwork, motif_graph
from amdnet_matminer.datasets import oxides
from amdnet_matminer.pretrained import pretrained_model_file

N_CRYSTALS = 2000
"""Of the Materials Project, to be done in a minute."""


def main() -> None:
    """Build the network, search it, predict, and choose."""
    options = parse()
    known = oxides().structure[options.like]
    structures = candidates()
    network = MotifNetwork().fit(structures)
    print(f"{len(structures)} crystals have {len(network.motifs_)} kinds of motifs, the commonest are")
    print(network.hubs(5).round(2).to_string())

    motifs = list(dict.fromkeys(motif_graph(known).name.tolist()))
    for motif in motifs:
        if motif in network.motifs_:
            found = network.materials_with(motif, max_distortion=2.0)
            print(f"\n{len(found)} crystals have undistorted {motif} motifs")

    alike = network.similar(known, k=options.n, by="motifs").drop(index=options.like, errors="ignore")
    if alike.empty:
        raise SystemExit(f"no crystal has motifs in common with {options.like}: {', '.join(motifs)}")
    model = AMDNetRegressor.load(pretrained_model_file("mp-band-gap"))
    alike["gap"] = model.predict(structures[alike.index])
    chosen = alike[alike.gap.between(*options.gap)]
    low, high = options.gap
    print(
        f"\n{len(chosen)} of the {len(alike)} most like {options.like} have a gap of {low:g} to {high:g} eV:"
    )
    print(chosen.round(2).to_string())
    if len(chosen):
        path = network.bridge(str(chosen.index[0]), str(chosen.index[-1]))
        print(f"\nwhat joins the first and the last of them: {' - '.join(path)}")


def candidates() -> pd.Series:
    """The crystals to choose from, by id."""
    if "AMDNET_DATA" not in os.environ:
        return oxides().structure
    sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks"))
    from common import load_crystals

    structures, table = load_crystals("mp2018", split="train", limit=N_CRYSTALS)
    return pd.Series(structures, table.id.astype(str))


def parse() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--like", default="perovskite-SrTiO3", help="a built-in oxide, the known material")
    parser.add_argument("--gap", type=float, nargs=2, default=(1.5, 3.5), metavar="EV", help="window of gaps")
    parser.add_argument("-n", type=int, default=50, help="materials whose gaps are predicted")
    return parser.parse_args()


if __name__ == "__main__":
    main()
