"""Motif features for matminer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from matminer.featurizers.base import BaseFeaturizer
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.exceptions import NotFittedError
from sklearn.utils import TransformerTags

from amdnet_matminer.errors import StructureError
from amdnet_matminer.graphs import GraphCache
from amdnet_matminer.motifs import MotifGraph, motif_graph, motif_graphs_of
from amdnet_matminer.motifs.features import FEATURE_GROUPS, Crystal, Quantities, Sample
from amdnet_matminer.motifs.motif2vec import Motif2Vec
from amdnet_matminer.motifs.near_neighbors import check_radii
from amdnet_matminer.parallel import map_structures, try_structures
from amdnet_matminer.pretrained import pretrained_motif2vec
from amdnet_matminer.validation.structures import check_structure, check_structures, crystal_of_row

Features = NDArray[np.float64]

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
    "@article{ward2016general, "
    "title={A general-purpose machine learning framework for predicting properties of inorganic materials}, "
    "author={Ward, Logan and Agrawal, Ankit and Choudhary, Alok and Wolverton, Christopher}, "
    "journal={npj Computational Materials}, volume={2}, pages={16028}, year={2016}, "
    "doi={10.1038/npjcompumats.2016.28}}",
    "@article{okeeffe1991atom, "
    "title={Atom sizes and bond lengths in molecules and crystals}, "
    "author={O'Keeffe, Michael and Brese, N. E.}, "
    "journal={Journal of the American Chemical Society}, volume={113}, number={9}, pages={3226--3229}, "
    "year={1991}, doi={10.1021/ja00009a002}}",
    "@article{robinson1971quadratic, "
    "title={Quadratic elongation: A quantitative measure of distortion in coordination polyhedra}, "
    "author={Robinson, Keith and Gibbs, G. V. and Ribbe, P. H.}, "
    "journal={Science}, volume={172}, number={3983}, pages={567--570}, year={1971}, "
    "doi={10.1126/science.172.3983.567}}",
)


class MotifFeaturizer(BaseFeaturizer):
    """Structure motifs of a crystal: their vectors, elements, shapes, and how they are joined.

    A motif is a centre with its bonded anions, a coordination polyhedron; in an
    element or an alloy it is an atom with its bonded neighbours. ``fit`` learns a
    vector for each kind of motif from the motifs that it shares corners, edges and
    faces with (Motif2Vec; Banjade et al., Science Advances 7, eabf1754, 2021,
    https://doi.org/10.1126/sciadv.abf1754). With ``from_preset("mp2018")`` the
    vectors are pretrained, and no fit is needed.

    No feature depends on the choice of unit cell or the order of sites, but for those
    of the group "fingerprint": its order parameters jump, as matminer's do, where bonds
    are in a straight line, and in a few of a hundred crystals the rounding of another
    cell or order changes one. Every feature is a finite number for every ordered
    crystal: what has nothing to describe is 0, such as the angles of an isolated atom,
    or all features if no site is a centre. Motifs without a learned vector get the one
    that ``Motif2Vec`` defines for them.

    Features:
        Group "vectors":
            - motif vector [k] mean/std/max: over the crystal's motifs, component k of
              their Motif2Vec vectors
            - motif known fraction: of the motifs, those whose vector was learned
        Group "stoichiometry":
            - motif count per atom: motifs divided by atoms
            - motif volume: volume of the crystal per motif, in cubic angstrom
            - motif distinct names/centers/ligands: number of kinds of motifs, such as
              "TiO6 octahedral", and of elements among centres and among ligands
        Group "centers":
            - motif [element]-centered fraction: of the motifs, those whose centre is this
              element, hydrogen to lawrencium
        Group "elements":
            - motif center [property] mean/std/min/max: over the motifs, a property of the
              centre's element in Magpie's tables, such as "electronegativity"
            - motif ligand [property] mean/std/min/max: the same of ligands, over the bonds
        Group "fingerprint":
            - motif fingerprint [component] mean/std: over the motifs, a component of
              matminer's ``CrystalNNFingerprint`` ("ops"), such as "octahedral CN_6"
        Group "geometries":
            - motif [geometry] fraction: of the motifs, those named so, such as
              "octahedral"; "other" are named by their coordination number alone
        Group "distortion":
            - motif symmetry measure mean/std/min/max: over the motifs, the continuous symmetry
              measure to the nearest ideal polyhedron (Pinsky and Avnir, 1998)
            - motif bond length distortion mean/std/min/max: mean deviation of bond lengths from
              their mean, relative to that (Baur, 1974)
            - motif bond angle variance mean/std/min/max: bond-angle variance, in square degrees, and
            - motif quadratic elongation mean/std/min/max: quadratic elongation (Robinson et al., 1971),
              of motifs with a polyhedron that has angles, and volume
        Group "coordination":
            - motif coordination mean/std/min/max: ligands per motif
            - motif ligand coordination mean/std/min/max: motifs per ligand
        Group "sharing":
            - motif connections mean/std/min/max: neighbours that a motif shares ligands with
            - motif corner-/edge-/face-sharing fraction: of the connections, those
              with 1, 2, and 3 or more shared ligands
        Group "bonds":
            - motif bond length mean/std/min/max: over the bonds, in angstrom
            - motif relative bond length mean/std/min/max: divided by the sum of covalent radii
            - motif bond polarity mean/std/min/max: difference of electronegativities
        Group "valence":
            - motif bond valence mean/std/min/max: over the bonds (O'Keeffe and Brese, 1991)
            - motif center/ligand bond valence mean/std/min/max: over the motifs and over
              the ligands, the sum of the valences of their bonds
        Group "angles":
            - motif connection angle mean/std/min/max: over the connections, mean
              centre-ligand-centre angle, in degrees
            - motif connection distance mean/std/min/max: centre to centre, in angstrom

    ``set_n_jobs`` sets the number of processes, all processors by default.

    Args:
        n_components: Length of the motif vectors; of pretrained ones, the leading components.
        features: Which of the groups to compute, in any order; None is all.
        pretrained: Motif vectors, which make ``fit`` unnecessary: the name of those that come
            with the package, ``"mp2018"``, or a file that ``motif2vec_.save`` of a fitted
            featurizer wrote; None lets ``fit`` learn them.
        cache_dir: Folder that keeps motif graphs for all later calls; None makes them anew.
        verbose: 1 shows a progress bar while motifs are looked for.

    Attributes:
        motif2vec_: The ``Motif2Vec`` that ``fit`` fitted.
    """

    motif2vec_: Motif2Vec

    def __init__(
        self,
        n_components: int = 16,
        features: Sequence[str] | None = None,
        pretrained: str | Path | None = None,
        cache_dir: str | Path | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.features = features
        self.pretrained = pretrained
        self.cache_dir = cache_dir
        self.verbose = verbose

    @classmethod
    def from_preset(cls, preset: str) -> MotifFeaturizer:
        """Make a featurizer that needs no ``fit``.

        Args:
            preset: ``"mp2018"``: motif vectors of 44,787 crystals of the Materials
                Project, all features. Its card is beside its file, in
                ``amdnet_matminer/pretrained``.

        Returns:
            The featurizer.

        Raises:
            ValueError: There is no such preset.
        """
        pretrained_motif2vec(preset)
        return cls(pretrained=preset)

    def fit(self, X: Iterable[Structure], y: Any = None) -> MotifFeaturizer:
        """Learn motif vectors, unless they are pretrained or not among the features.

        Args:
            X: List, Series or object array of ordered crystals.
            y: Ignored, there for scikit-learn.

        Returns:
            Itself.

        Raises:
            StructureError: There is no structure, or one cannot be used; the message
                names its index, the reason and the remedy.
            ValueError: ``n_components`` is below 1, or a group or preset unknown.
        """
        structures = check_structures(X)
        return self._fit(self._motif_graphs(structures) if self._learns else [])

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

    def fit_featurize_dataframe(
        self, df: pd.DataFrame, col_id: str | list[str], fit_args: Sequence[Any] | None = None, **kwargs: Any
    ) -> pd.DataFrame | None:
        """Fit to the crystals of a dataframe and describe them.

        Args:
            df: A table.
            col_id: Its column of crystals.
            fit_args: Further arguments of ``fit``.
            **kwargs: Those of ``featurize_dataframe``. With ``ignore_errors`` the crystals that
                ``featurize`` refuses take no part in the fit.

        Returns:
            As ``featurize_dataframe``.

        Raises:
            StructureError: There is no structure, or one cannot be used; with ``ignore_errors`` none can.
        """
        crystals = df[[col_id] if isinstance(col_id, str) else col_id].to_numpy()
        if not kwargs.get("ignore_errors"):
            self.fit(crystals, *(fit_args or ()))
        elif self._learns:
            self._fit(self._graphs_of_usable(crystals))
        return self.featurize_dataframe(df, col_id, **kwargs)

    def precheck_dataframe(
        self,
        df: pd.DataFrame,
        col_id: str | list[str],
        return_frac: bool = True,
        inplace: bool = False,
    ) -> float | pd.DataFrame:
        """Look which crystals of a dataframe can be described.

        Args:
            df: A table with any index.
            col_id: Its column of crystals.
            return_frac: Whether to tell the part of crystals only.
            inplace: Else, whether the table itself gets the column ``MotifFeaturizer precheck pass``.

        Returns:
            The part of the crystals that can be, or the table with the column.
        """
        if not return_frac and not inplace:
            # matminer joins the column by row numbers, whatever the index is.
            df, inplace = df.copy(), True
        return super().precheck_dataframe(df, col_id, return_frac, inplace)

    def set_n_jobs(self, n_jobs: int) -> None:
        """Set the number of processes, which clones have too.

        Args:
            n_jobs: As joblib counts them: -1 is all processors.
        """
        super().set_n_jobs(effective_n_jobs(n_jobs))

    def __sklearn_clone__(self) -> Self:
        """The same, not fitted; the number of processes is no parameter, as matminer has it."""
        clone: Self = super().__sklearn_clone__()
        if hasattr(self, "_n_jobs"):
            clone.set_n_jobs(self.n_jobs)
        return clone

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
            NotFittedError: Before ``fit``, where one is needed.
        """
        self._quantities()
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
            NotFittedError: Before ``fit``, where one is needed.
        """
        quantities = self._quantities()
        structure = check_structure(structure)
        return _features(structure, self._motif_graph(structure), quantities).tolist()

    def feature_labels(self) -> list[str]:
        """Name the features.

        Returns:
            One label per feature; see the class description.

        Raises:
            NotFittedError: Before ``fit``, where one is needed.
            ValueError: A group or preset is unknown.
        """
        return [label for quantities in self._quantities() for label in quantities.labels]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the features, for scikit-learn; with this ``set_output`` works.

        Args:
            input_features: Ignored.

        Returns:
            ``feature_labels`` as an array.

        Raises:
            NotFittedError: Before ``fit``, where one is needed.
        """
        return np.array(self.feature_labels(), dtype=object)

    def precheck(self, structure: Any) -> bool:
        """Tell quickly whether an object can be featurized.

        Args:
            structure: What should be an ordered crystal.

        Returns:
            False if ``featurize`` would refuse it.
        """
        try:
            crystal = check_structure(structure)
            check_radii({specie for site in crystal for specie in site.species})
        except StructureError:
            return False
        return True

    def citations(self) -> list[str]:
        """Give the papers to cite.

        Returns:
            BibTeX entries: AMDNet and its motifs, CrystalNN, the fingerprint,
            matminer, Magpie, bond valences, distortion, and Atom2Vec for the decomposition.
        """
        return list(_CITATIONS)

    def implementors(self) -> list[str]:
        """Name who wrote this featurizer.

        Returns:
            Their names.
        """
        return ["amdnet_matminer developers"]

    def __sklearn_is_fitted__(self) -> bool:
        return not self._learns or hasattr(self, "motif2vec_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags = TransformerTags()
        tags.requires_fit = self._learns
        return tags

    @property
    def _learns(self) -> bool:
        """Whether there is anything to fit."""
        return self.pretrained is None and "vectors" in self._groups()

    def _groups(self) -> list[str]:
        """The chosen groups, in their own order."""
        known = ("vectors", *FEATURE_GROUPS)  # looked up now: groups may be added
        chosen = set(known if self.features is None else self.features)
        if isinstance(self.features, str) or not chosen.issubset(known):
            raise ValueError(f"features must be a list of some of {known}, or None; got {self.features!r}")
        return [group for group in known if group in chosen]

    def _quantities(self) -> list[Quantities]:
        """What is computed; NotFittedError if it cannot be, yet."""
        found: list[Quantities] = []
        for group in self._groups():
            found += self._of_vectors() if group == "vectors" else FEATURE_GROUPS[group]
        return found

    def _of_vectors(self) -> tuple[Quantities, ...]:
        """The quantities of the group "vectors"."""
        motif2vec = self._motif2vec()
        # The components are in the order of their singular values: the leading ones
        # are what a fit with fewer components gives.
        width = motif2vec.n_components if self.pretrained is None else self.n_components

        def vectors(crystal: Crystal) -> Sample:
            return motif2vec.vectors(crystal.graph)[:, :width], crystal.graph.multiplicity

        def known(crystal: Crystal) -> Sample:
            return motif2vec.known(crystal.graph)[:, None], crystal.graph.multiplicity

        names = tuple(f"vector {k + 1}" for k in range(width))
        return (
            Quantities(names, ("mean", "std", "max"), vectors),
            Quantities(("known",), ("fraction",), known),
        )

    def _motif2vec(self) -> Motif2Vec:
        if self.pretrained is not None:
            motif2vec = pretrained_motif2vec(self.pretrained)
            if not 1 <= self.n_components <= motif2vec.n_components:
                raise ValueError(
                    f"n_components must be 1 to {motif2vec.n_components}, the length of the pretrained "
                    f"motif vectors {str(self.pretrained)!r}; got {self.n_components}"
                )
            return motif2vec
        if not hasattr(self, "motif2vec_"):
            raise NotFittedError(
                "this MotifFeaturizer has learned no motif vectors yet; call fit(structures) or "
                "fit_featurize_dataframe(df, 'structure') first, or use "
                "MotifFeaturizer.from_preset('mp2018'), which needs no fit"
            )
        return self.motif2vec_

    def _motif_graphs(self, structures: list[Structure]) -> list[MotifGraph]:
        if self.cache_dir is not None:
            return self._cache().all_graphs(structures, self.n_jobs, bool(self.verbose))
        return list(map_structures(motif_graphs_of, structures, self.n_jobs, "motifs", bool(self.verbose)))

    def _graphs_of_usable(self, items: Iterable[Any]) -> list[MotifGraph]:
        """The motif graphs of the crystals, or rows that hold them, that can be used."""
        structures: list[Structure] = []
        for crystal in [crystal_of_row(item) for item in items]:
            with suppress(StructureError):  # of which featurize_dataframe tells, as far as it is asked to
                structures.append(check_structure(crystal))
        found = try_structures(self._some_motif_graphs, structures, self.n_jobs, "motifs", bool(self.verbose))
        graphs = [graph for graph in found if not isinstance(graph, StructureError)]
        if not graphs:
            reason, remedy = "got no structures that can be used", "see why with ignore_errors=False"
            raise StructureError(reason, remedy, subject="")
        return graphs

    def _some_motif_graphs(self, structures: Sequence[Structure]) -> list[MotifGraph]:
        if self.cache_dir is not None:
            return self._cache().all_graphs(structures)
        return motif_graphs_of(structures)

    def _motif_graph(self, structure: Structure) -> MotifGraph:
        return motif_graph(structure) if self.cache_dir is None else self._cache().graph(structure)

    def _cache(self) -> GraphCache[MotifGraph]:
        return GraphCache(str(self.cache_dir), motif_graphs_of, MotifGraph, bonds="either")

    def _fit(self, graphs: list[MotifGraph]) -> MotifFeaturizer:
        if self._learns:
            self.motif2vec_ = Motif2Vec(n_components=self.n_components).fit(graphs)
        return self

    def _features_of_all(self, structures: list[Structure], graphs: list[MotifGraph]) -> Features:
        quantities = self._quantities()
        pairs = zip(structures, graphs, strict=True)
        return np.array([_features(structure, graph, quantities) for structure, graph in pairs])


def _features(structure: Structure, graph: MotifGraph, quantities: Iterable[Quantities]) -> Features:
    crystal = Crystal(graph, np.array(structure.atomic_numbers), structure.volume)
    return np.concatenate([np.zeros(0), *(chosen.features(crystal) for chosen in quantities)])
