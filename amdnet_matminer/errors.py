"""The exceptions of this package.

Every message names the item that is at fault, the reason and the remedy.
"""

from __future__ import annotations


class AMDNetError(Exception):
    """Base class of all exceptions that this package raises on purpose."""


class StructureError(AMDNetError, ValueError):
    """A crystal structure cannot be used: no structure, disordered, overlapping atoms."""


class TargetError(AMDNetError, ValueError):
    """A target value cannot be used: not finite, or not one per structure."""


class ModelFileError(AMDNetError, ValueError):
    """A file is not a model of this package, is damaged, or is of an unknown version."""


class DatasetError(AMDNetError, ValueError):
    """A file of structures or labels cannot be read as one."""


class MissingDependencyError(AMDNetError, ImportError):
    """An optional package is needed for what was asked."""
