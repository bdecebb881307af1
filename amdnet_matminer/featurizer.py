"""Motif features for matminer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matminer.featurizers.base import BaseFeaturizer
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import GraphCache
from amdnet_matminer.motifs import FINGERPRINT_LABELS, SHARING_TYPES, MotifGraph, motif_graph, sharing_type
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.parallel import map_structures
from amdnet_matminer.validation import check_structure, check_structures

Features = NDArray[np.float64]

_COUNT_LABELS = (
    "motif count per atom",
    "motif distinct names",
    "motif known fraction",
    "motif coordination mean",
    "motif coordination std",
    "motif connections mean",
    *(f"motif {sharing}-sharing fraction" for sharing in SHARING_TYPES),
)

_CITATIONS = (
    "@article{banjade2021structure, "
    "title={Structure motif-centric learning framework for inorganic crystalline systems}, "
    "author={Banjade, Huta R. and Hauri, Sandro and Zhang, Shanshan and Ricci, Francesco and "
    "Gong, Weiyi and Hautier, Geoffroy and Vucetic, Slobodan and Yan, Qimin}, "
    "journal={Science Advances}, volume={7}, number={17}, pages={eabf1754}, year={2021}, "
    "doi={10.1126/sciadv.abf1754}}",
    "@article{pan2021benchmarking, "
    "title={Benchmarking Coordination Number Prediction Algorithms on Inorganic Crystal Structures}, "
    "author={Pan, Hillary and Ganose, Alex M. and Horton, Matthew and Aykol, Muratahan and "
    "Persson, Kristin A. and Zimmermann, Nils E. R. and Jain, Anubhav}, "
    "journal={Inorganic Chemistry}, volume={60}, number={3}, pages={1590--1603}, year={2021}, "
    "doi={10.1021/acs.inorgchem.0c02996}}",
    "@article{zimmermann2020local, "
    "title={Local structure order parameters and site fingerprints for quantification of "
    "coordination environment and crystal structure similarity}, "
    "author={Zimmermann, Nils E. R. and Jain, Anubhav}, "
    "journal={RSC Advances}, volume={10}, number={10}, pages={6063--6081}, year={2020}, "
    "doi={10.1039/C9RA07755C}}",
    "@article{ward2018matminer, "
    "title={Matminer: An open source toolkit for materials data mining}, "
    "author={Ward, Logan and Dunn, Alexander and Faghaninia, Alireza and Zimmermann, Nils E. R. and "
    "Bajaj, Saurabh and Wang, Qi and Montoya, Joseph and Chen, Jiming and Bystrom, Kyle and "
    "Dylla, Maxwell and Chard, Kyle and Asta, Mark and Persson, Kristin A. and Snyder, G. Jeffrey and "
    "Foster, Ian and Jain, Anubhav}, "
    "journal={Computational Materials Science}, volume={152}, pages={60--69}, year={2018}, "
    "doi={10.1016/j.commatsci.2018.05.018}}",
    "@article{zhou2018learning, "
    "title={Learning atoms for materials discovery}, "
    "author={Zhou, Quan and Tang, Peizhe and Liu, Shenxiu and Pan, Jinbo and Yan, Qimin and "
    "Zhang, Shou-Cheng}, "
    "journal={Proceedings of the National Academy of Sciences}, volume={115}, number={28}, "
    "pages={E6411--E6417}, year={2018}, doi={10.1073/pnas.1801181115}}",
)


class MotifFeaturizer(BaseFeaturizer):
    """Structure motifs of a crystal: their vectors, shapes, and how they are joined.

    A motif is a centre with its bonded anions, a coordination polyhedron; in an
    element or an alloy it is an atom with its bonded neighbours. ``fit`` learns a
    vector for each kind of motif from the motifs that it shares corners, edges and
    faces with (Motif2Vec; Banjade et al., Science Advances 7, eabf1754, 2021,
    https://doi.org/10.1126/sciadv.abf1754). ``featurize`` describes one crystal.

    No feature depends on the choice of unit cell or the order of sites, and every
    feature is a finite number for every ordered crystal: an isolated atom has an
    all-zero fingerprint and coordination 0; without shared ligands the three
    sharing fractions are 0; motifs unknown to ``fit`` get the vector that
    ``Motif2Vec`` defines; if no site is a centre, all features are 0.

    Features:
        - motif vector [k] mean/std: over the crystal's motifs, component k of their
          Motif2Vec vectors
        - motif fingerprint [component] mean/std: over the crystal's motifs, a
          component of matminer's ``CrystalNNFingerprint`` ("ops"), such as
          "octahedral CN_6"
        - motif count per atom: motifs divided by atoms
        - motif distinct names: number of kinds of motifs, such as "TiO6 octahedral"
        - motif known fraction: fraction of the motifs whose kind ``fit`` has seen
        - motif coordination mean/std: ligands per motif
        - motif connections mean: neighbouring motifs that a motif shares ligands with
        - motif corner-/edge-/face-sharing fraction: fraction of these connections
          with 1, 2, and 3 or more shared ligands

    ``set_n_jobs`` sets the number of processes, all processors by default.

    Args:
        n_components: Length of the motif vectors.
        cache_dir: Folder that keeps motif graphs for all later calls; None makes them anew.
        verbose: 1 shows a progress bar while motifs are looked for.

    Attributes:
        motif2vec_: The fitted ``Motif2Vec``.
    """

    motif2vec_: Motif2Vec

    def __init__(self, n_components: int = 16, cache_dir: str | Path | None = None, verbose: int = 0) -> None:
        self.n_components = n_components
        self.cache_dir = cache_dir
        self.verbose = verbose

    def fit(self, X: Iterable[Structure], y: Any = None) -> MotifFeaturizer:
        """Learn motif vectors.

        Args:
            X: List, Series or object array of ordered crystals.
            y: Ignored, there for scikit-learn.

        Returns:
            Itself.

        Raises:
            StructureError: There is no structure, or one cannot be used; the message
                names its index, the reason and the remedy.
            ValueError: ``n_components`` is below 1.
        """
        return self._fit(self._motif_graphs(check_structures(X)))

    def fit_transform(self, X: Iterable[Structure], y: Any = None) -> Features:
        """Fit and transform the same crystals, finding their motifs only once.

        Args:
            X: List, Series or object array of S ordered crystals.
            y: Ignored, there for scikit-learn.

        Returns:
            The features, shape (S, number of features).

        Raises:
            StructureError: As in ``fit``.
            ValueError: As in ``fit``.
        """
        structures = check_structures(X)
        graphs = self._motif_graphs(structures)
        self._fit(graphs)
        return self._features_of_all(structures, graphs)

    def transform(self, X: Iterable[Structure]) -> Features:
        """Describe crystals, as a step of a scikit-learn pipeline.

        Unlike matminer's default it stops at a structure that cannot be used, instead
        of giving a row of NaN; ``featurize_many`` has ``ignore_errors`` for that.

        Args:
            X: List, Series or object array of S ordered crystals.

        Returns:
            The features, shape (S, number of features).

        Raises:
            StructureError: There is no structure, or one cannot be used.
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        structures = check_structures(X)
        return self._features_of_all(structures, self._motif_graphs(structures))

    def featurize(self, structure: Structure) -> list[float]:
        """Describe one crystal.

        Args:
            structure: An ordered crystal.

        Returns:
            The features, in the order of ``feature_labels``.

        Raises:
            StructureError: It is no structure, disordered, or otherwise unusable.
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        return self._features(structure, self._maker()(structure)).tolist()

    def feature_labels(self) -> list[str]:
        """Name the features.

        Returns:
            The column names, each beginning with "motif".

        Raises:
            NotFittedError: Before ``fit``.
        """
        self._check_fitted()
        vectors = [f"vector {k + 1}" for k in range(self.motif2vec_.n_components)]
        fingerprints = [f"fingerprint {label}" for label in FINGERPRINT_LABELS]
        described = [f"motif {name} {stat}" for name in vectors + fingerprints for stat in ("mean", "std")]
        return [*described, *_COUNT_LABELS]

    def precheck(self, structure: Any) -> bool:
        """Tell quickly whether an object can be featurized.

        Args:
            structure: What should be an ordered crystal.

        Returns:
            False if ``featurize`` would refuse it.
        """
        try:
            check_structure(structure)
        except StructureError:
            return False
        return True

    def citations(self) -> list[str]:
        """Give the papers to cite.

        Returns:
            BibTeX entries: AMDNet and its motifs, CrystalNN, the fingerprint,
            matminer, and Atom2Vec for the decomposition.
        """
        return list(_CITATIONS)

    def implementors(self) -> list[str]:
        """Name who wrote this featurizer.

        Returns:
            Their names.
        """
        return ["amdnet_matminer developers"]

    def _check_fitted(self) -> None:
        check_is_fitted(
            self,
            "motif2vec_",
            msg="this %(name)s has learned no motif vectors yet; call fit(structures) first, "
            "or fit_featurize_dataframe(df, 'structure')",
        )

    def _motif_graphs(self, structures: list[Structure]) -> list[MotifGraph]:
        return list(map_structures(self._maker(), structures, self.n_jobs, "motifs", bool(self.verbose)))

    def _maker(self) -> Callable[[Structure], MotifGraph]:
        if self.cache_dir is None:
            return motif_graph
        return GraphCache(self.cache_dir, motif_graph, engine="fast").graph

    def _fit(self, graphs: list[MotifGraph]) -> MotifFeaturizer:
        self.motif2vec_ = Motif2Vec(n_components=self.n_components).fit(graphs)
        return self

    def _features_of_all(self, structures: list[Structure], graphs: list[MotifGraph]) -> Features:
        pairs = zip(structures, graphs, strict=True)
        return np.array([self._features(structure, graph) for structure, graph in pairs])

    def _features(self, structure: Structure, graph: MotifGraph) -> Features:
        """All features of a crystal, in the order of ``feature_labels``."""
        of_motifs = np.hstack([self.motif2vec_.vectors(graph), graph.fingerprint])
        known = self.motif2vec_.known(graph)
        return np.concatenate(
            [
                _mean_and_std(of_motifs, graph.multiplicity),
                [
                    graph.multiplicity.sum() / len(structure),
                    len(set(graph.name.tolist())),
                    _mean_and_std(known[:, None], graph.multiplicity)[0],
                ],
                _mean_and_std(graph.coordination[:, None], graph.multiplicity),
                _sharing(graph),
            ]
        )


def _mean_and_std(values: NDArray[Any], weight: NDArray[Any]) -> Features:
    """Mean and population standard deviation of each column in turn, 0 without rows; shape (2 K,)."""
    share = weight / max(weight.sum(), 1)
    mean = share @ values
    variance = share @ (values - mean) ** 2
    return np.column_stack([mean, np.sqrt(variance)]).ravel()


def _sharing(graph: MotifGraph) -> Features:
    """Connections per motif, and the fraction of them by corner, edge and face."""
    n_edges = np.bincount(
        sharing_type(graph.n_shared), weights=graph.multiplicity[graph.receiver], minlength=len(SHARING_TYPES)
    )
    n_motifs = graph.multiplicity.sum()
    return np.array([n_edges.sum() / max(n_motifs, 1), *(n_edges / max(n_edges.sum(), 1))])
