"""Estimators as files: what of a fitted model is written, and what is checked when one is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from amdnet_matminer import __version__
from amdnet_matminer.architectures import NetworkConfig
from amdnet_matminer.errors import ModelFileError
from amdnet_matminer.estimators.fitted import FittedEstimator
from amdnet_matminer.estimators.parameters import NOT_IN_FILES
from amdnet_matminer.persistence import (
    ClassLabels,
    ModelHeader,
    TargetLabels,
    TrainingSummary,
    read_model,
    write_model,
)
from amdnet_matminer.pretrained import model_file, pretrained_model_file
from amdnet_matminer.uncertainty import Domain
from amdnet_matminer.validation.parameters import check_parameters

if TYPE_CHECKING:
    from amdnet_matminer.ensembles import Weights

LARGEST_WEIGHT = 1e6
"""Of a network in a file; trained ones stay below 100, and from such numbers on predictions overflow."""


class SavedEstimator(FittedEstimator):
    """A fitted estimator as a file."""

    def save(self, path: str | Path) -> None:
        """Write the trained model as one file: its description and its weights, no code.

        What is of this computer or of this session is not kept: ``cache_dir``,
        ``checkpoint_dir``, ``init_from``, ``n_jobs``, ``verbose``, ``warm_start``.

        Args:
            path: The file to write; an existing one is replaced.

        Raises:
            NotFittedError: ``fit`` has not been called.
            OSError: The file cannot be written; what was there before is still there.
        """
        check_is_fitted(self)
        write_model(path, self._as_fitted()._header(), self.weights_)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model; nothing in the file is executed.

        Args:
            path: The file, the ``.hdf5`` file of a model that the published AMDNet code
                trained, or the name of a model that comes with the package.

        Returns:
            A fitted estimator; of ``AMDNetEstimator``, whichever the file holds.

        Raises:
            FileNotFoundError: There is no such file.
            ModelFileError: It is no model file, is damaged, holds another estimator, or
                what it holds is no sound model: a parameter is out of its range, or the
                weights are not those of the network.
        """
        path = model_file(path)
        header, arrays = read_any_model(path)
        # A class of a user's that is made from ours reads what ours has written. What has no fit is no kind.
        kinds = {base.__name__: cls for base in cls.__mro__ if hasattr(base, "fit")}
        kinds |= {kind.__name__: kind for kind in cls.__subclasses__()}
        if header.estimator not in kinds:
            raise ModelFileError(
                f"holds no {cls.__name__} but a {header.estimator}",
                "load it with that class, or give another file; of the commands predict takes classifiers",
                item=path,
            )
        kind = kinds[header.estimator]
        try:
            return kind._restored(header, arrays)
        except (TypeError, ValueError, OverflowError) as error:
            remedy = "save it anew"
            if header.written_by != __version__:
                remedy = (
                    f"it was written by amdnet_matminer {header.written_by} and this is {__version__}: "
                    "load it with that version, or fit anew"
                )
            raise ModelFileError(
                f"does not hold a sound {kind.__name__} ({error})", remedy, item=path
            ) from error

    @classmethod
    def from_pretrained(cls, name: str) -> Self:
        """Load a model that comes with the package, trained on crystals of the Materials Project.

        Args:
            name: Of ``AMDNetRegressor`` ``"mp-band-gap"``, PBE band gaps in eV;
                ``"mp-formation-energy"``, in eV per atom; ``"mp-moduli"``, the decadic logarithms
                of the bulk and of the shear modulus in GPa, in this order; or, to compare with
                others trained on the same split, ``"mp2018-band-gap"`` and
                ``"mp2018-formation-energy"``. Of ``AMDNetClassifier`` ``"mp-is-metal"``: whether
                the PBE band gap is 0. The cards beside the files in
                ``amdnet_matminer/pretrained`` tell their data, errors and limits.

        Returns:
            A fitted estimator.

        Raises:
            ValueError: There is no model of this name.
            ModelFileError: It is one of the other class.
        """
        return cls.load(pretrained_model_file(name))

    def _saved_labels(self) -> TargetLabels | ClassLabels:
        """What a file holds of what ``_learn_labels`` has set."""
        raise NotImplementedError

    def _restore_labels(self, labels: Any) -> None:
        """Set what ``_saved_labels`` gave, as it was in a file."""
        raise NotImplementedError

    def _header(self) -> ModelHeader:
        seen = self.domain_
        return ModelHeader(
            estimator=type(self).__name__,
            parameters=self._saved_parameters(),
            mean=self.scaler_.mean,
            scale=self.scaler_.scale,
            labels=asdict(self._saved_labels()),
            history=self.history_,
            training=TrainingSummary(**self.training_) if self.training_ else None,
            motifs=None if seen is None else sorted(seen.motifs),
            elements=None if seen is None else sorted(seen.elements),
        )

    def _saved_parameters(self) -> dict[str, Any]:
        fitted = self.config_._asdict()
        parameters = {
            name: value if value is None else fitted.get(name, value)
            for name, value in self.get_params(deep=False).items()
            if name not in NOT_IN_FILES
        }
        if not isinstance(self.random_state, int | np.integer):
            parameters["random_state"] = None
        return {name: _as_json(value) for name, value in parameters.items()}

    @classmethod
    def _restored(cls, header: ModelHeader, arrays: Sequence[NDArray]) -> Self:
        """The fitted estimator that a file holds; whatever is wrong with it is a ValueError or TypeError."""
        from amdnet_matminer.training import TargetScaler

        model = cls(**_checked_parameters(header.parameters, cls._get_param_names()))
        check_parameters(model.get_params(deep=False))
        model.scaler_ = TargetScaler(header.mean, header.scale)
        model.domain_ = None
        if header.motifs is not None and header.elements is not None:
            model.domain_ = Domain(frozenset(header.motifs), frozenset(header.elements))
        model.training_ = asdict(header.training) if header.training else {}
        model.history_ = header.history
        model.n_iter_ = len(model.history_.get("loss", []))
        model._restore_labels(header.labels)
        model.config_ = model._network_config(len(header.mean))
        model.converter_ = model.graph_converter()
        model.fitted_params_ = model._present_params()
        model.weights_ = _weights_of_members(model.config_, arrays)
        if len(model.weights_) != model.n_ensemble:
            raise ValueError(f"it has {len(model.weights_)} networks, and n_ensemble is {model.n_ensemble}")
        return model


def read_any_model(path: Path) -> tuple[ModelHeader, list[NDArray]]:
    """What a model file holds, be it ours or of the published code."""
    from amdnet_matminer.network.published_model import is_published_model, read_published_model

    return read_published_model(path) if is_published_model(path) else read_model(path)


def _checked_parameters(parameters: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Parameters from a file as the estimator takes them: none that no file decides on."""
    if unknown := set(parameters) - (set(names) - set(NOT_IN_FILES)):
        raise ValueError(f"a file has no parameters {sorted(unknown)}")
    seed = parameters.get("random_state")
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**32):
        raise ValueError(f"random_state must be None or an integer from 0 to {2**32 - 1}, got {seed!r}")
    # Of a mapping the file has the pairs, since its keys need not be strings.
    weight = parameters.get("class_weight")
    return {**parameters, "class_weight": dict(weight)} if isinstance(weight, list) else dict(parameters)


def _weights_of_members(config: NetworkConfig, arrays: Sequence[NDArray]) -> list[Weights]:
    """Weights from a file, of one network after another, which must be those that the network has."""
    from amdnet_matminer.network import build_network

    forms = [(tuple(weight.shape), weight.dtype) for weight in build_network(config).weights]
    if not arrays or len(arrays) % len(forms):
        raise ValueError(f"it has {len(arrays)} arrays of weights, of which each network has {len(forms)}")
    for k, array in enumerate(arrays):
        shape, dtype = forms[k % len(forms)]
        if (array.shape, array.dtype.name) != (shape, dtype):
            raise ValueError(f"weights {k} are {array.shape} {array.dtype} instead of {shape} {dtype}")
        # So written, what is no number is refused too.
        if not (np.abs(array) < LARGEST_WEIGHT).all():
            raise ValueError(f"weights {k} are not all numbers below {LARGEST_WEIGHT:g}")
    return [list(arrays[k : k + len(forms)]) for k in range(0, len(arrays), len(forms))]


def _as_json(value: Any) -> Any:
    """A parameter as JSON can hold it; of a mapping the pairs, since its keys need not be strings."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return [[_as_json(key), _as_json(item)] for key, item in value.items()]
    return value
