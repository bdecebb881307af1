"""The dual graph network as scikit-learn estimators on pymatgen structures."""

from amdnet_matminer.estimators.base import AMDNetEstimator
from amdnet_matminer.estimators.classifier import AMDNetClassifier
from amdnet_matminer.estimators.regressor import AMDNetRegressor

__all__ = ["AMDNetClassifier", "AMDNetEstimator", "AMDNetRegressor"]
