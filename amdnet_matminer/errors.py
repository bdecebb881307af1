"""The exceptions of this package.

Each carries what it says as attributes, and its message is made from them: the item
that is at fault, the reason and the remedy. So whoever passes one on can name the item
as the user knows it (``error.at(item="mp-1234")``), and nobody has to read a message.
"""

from __future__ import annotations

from typing import Any, Self


class AMDNetError(Exception):
    """Base class of all exceptions that this package raises on purpose.

    The message is ``<subject> <item or index>, site <site> <reason>; <remedy>``, of which
    all but the reason may be missing.

    Args:
        reason: What is wrong, as the rest of a sentence that begins with the item.
        remedy: What to do about it.
        item: What the item is called: the id of a crystal, the path of a file.
        index: The item's place in what was passed in, from 0.
        site: The site of a structure that is at fault, or several.
        subject: What the item is, such as ``"structure"``; None is what the class says.
    """

    subject: str = ""

    def __init__(
        self,
        reason: str,
        remedy: str | None = None,
        *,
        item: object = None,
        index: int | None = None,
        site: int | tuple[int, ...] | None = None,
        subject: str | None = None,
    ) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy
        self.item = item
        self.index = None if index is None else int(index)
        self.site = site
        if subject is not None:
            self.subject = subject

    def __str__(self) -> str:
        message = " ".join(filter(None, [self._address(), self.reason]))
        return message if self.remedy is None else f"{message}; {self.remedy}"

    def at(self, **address: Any) -> Self:
        """The same error of an item that is called otherwise.

        Args:
            **address: Those of ``item``, ``index``, ``site`` and ``subject`` that change.

        Returns:
            A new error, without traceback and cause.
        """
        moved = type(self)(self.reason, self.remedy)
        vars(moved).update(vars(self) | address)
        return moved

    def _address(self) -> str:
        name = "" if self.index is None else str(self.index)
        if self.item is not None:
            # An id is quoted, since it may be anything; a path stands for itself.
            name = repr(self.item) if self.subject else str(self.item)
        address = " ".join(filter(None, [self.subject, name]))
        if self.site is None:
            return address
        if isinstance(self.site, tuple):
            return f"{address}, sites {' and '.join(map(str, self.site))}"
        return f"{address}, site {self.site}"


class StructureError(AMDNetError, ValueError):
    """A crystal structure cannot be used: no structure, disordered, overlapping atoms."""

    subject = "structure"


class TargetError(AMDNetError, ValueError):
    """A target value cannot be used: not finite, or not one per structure."""

    subject = "label"


class ModelFileError(AMDNetError, ValueError):
    """A file is not a model of this package, is damaged, or is of an unknown version."""


class DatasetError(AMDNetError, ValueError):
    """A file of structures or labels cannot be read as one."""


class MissingDependencyError(AMDNetError, ImportError):
    """An optional package is needed for what was asked."""
