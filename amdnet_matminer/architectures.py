"""The networks by name: which there are is known without Keras, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from amdnet_matminer.network import Network

N = TypeVar("N", bound="type[Network]")

_places = {
    "amdnet": "amdnet_matminer.network.amdnet.AMDNet",
    "amdnet-2021": "amdnet_matminer.network.amdnet2021.AMDNet2021",
    "megnet": "amdnet_matminer.network.amdnet2021.MEGNet",
}
"""Where the network of each name is defined; those of this package are imported when asked for."""

_classes: dict[str, type[Network]] = {}


def register(name: str) -> Callable[[N], N]:
    """Make a network known as a value of the estimators' parameter ``architecture``.

    Args:
        name: What it is called.

    Returns:
        A decorator of the class, a ``Network``; to register a class again, as running a
        notebook's cell twice does, replaces it.

    Raises:
        ValueError: Another class has the name.
    """

    def registered(network: N) -> N:
        place = f"{network.__module__}.{network.__qualname__}"
        if _places.setdefault(name, place) != place:
            raise ValueError(f"{name!r} is {_places[name]} already; take another name")
        _classes[name] = network
        return network

    return registered


def architecture_names() -> list[str]:
    """The names of all networks, those of this package first."""
    return list(_places)


def network_class(name: str) -> type[Network]:
    """The network of a name; Keras is imported.

    Args:
        name: One of ``architecture_names()``.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in architecture_names():
        raise ValueError(
            f"architecture must be one of {architecture_names()}, got {name!r}; another is known once the "
            "module that registers it is imported"
        )
    if name not in _classes:
        import_module(_places[name].rpartition(".")[0])
    return _classes[name]


class NetworkConfig(NamedTuple):
    """Architecture and sizes of a network; the estimator documents all but the last.

    What an architecture does not read stays as it is here, so that equal networks have
    equal configurations.
    """

    architecture: str = "amdnet"
    atom_cutoff: float = 5.0
    motif_cutoff: float = 11.0
    rbf_edge_dim_atom: int = 100
    rbf_edge_dim_motif: int = 100
    width: int = 64
    n_blocks: int = 4
    n_outputs: int = 1

    @classmethod
    def of(cls, architecture: str = "amdnet", n_outputs: int = 1, **parameters: Any) -> Self:
        """The configuration that parameters of an estimator lead to.

        Args:
            architecture: Which network.
            n_outputs: Number of targets.
            **parameters: Any parameters of the estimator. Those that are missing, or None,
                are the architecture's own; those that it does not read are left out.

        Raises:
            ValueError: There is no such architecture.
        """
        network = network_class(architecture)
        kinds = {name: type(value) for name, value in cls._field_defaults.items()}
        given = {
            name: kinds[name](value)
            for name, value in parameters.items()
            if name in network.used_parameters and name in kinds and value is not None
        }
        return cls(architecture, **{"width": network.default_width} | given, n_outputs=n_outputs)
