"""matgl's MEGNet, sized as the atom branch of AMDNet 2021, for all elements."""

from __future__ import annotations

import torch
from matgl.config import DEFAULT_ELEMENTS
from matgl.models import MEGNet
from speed import CUTOFF


def build(n_threads: int) -> MEGNet:
    """The network, not trained, ready to predict.

    Args:
        n_threads: Of torch.
    """
    torch.set_num_threads(n_threads)
    model = MEGNet(
        element_types=DEFAULT_ELEMENTS,
        cutoff=CUTOFF,
        niters_set2set=3,
        hidden_layer_sizes_output=(32, 16, 16),
    )
    model.eval()
    return model
