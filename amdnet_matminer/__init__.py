"""Atom–motif dual graph network (AMDNet) for crystals, in the matminer and MatBench ecosystem.

Banjade et al., Science Advances 7, eabf1754 (2021). The public names are
loaded on first use (PEP 562), so that the featurizer comes without TensorFlow.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amdnet_matminer.estimators import AMDNetClassifier, AMDNetRegressor
    from amdnet_matminer.featurizer import MotifFeaturizer
    from amdnet_matminer.motif_network import MotifNetwork
    from amdnet_matminer.motifs import motif_graph, motif_graphs
    from amdnet_matminer.motifs.motif2vec import Motif2Vec

with warnings.catch_warnings():
    # In a notebook without ipywidgets tqdm says so as soon as it is imported, as matminer does:
    # of no use to a reader, since bars, where any are asked for, are then of text.
    warnings.filterwarnings("ignore", "IProgress not found")
    import_module("tqdm.auto")

__version__ = "0.3.0.dev0"
__all__ = [
    "AMDNetClassifier",
    "AMDNetRegressor",
    "Motif2Vec",
    "MotifFeaturizer",
    "MotifNetwork",
    "motif_graph",
    "motif_graphs",
]

_MODULE_OF = {
    "AMDNetClassifier": "estimators",
    "AMDNetRegressor": "estimators",
    "Motif2Vec": "motifs.motif2vec",
    "MotifFeaturizer": "featurizer",
    "motif_graph": "motifs",
    "MotifNetwork": "motif_network",
    "motif_graphs": "motifs",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
