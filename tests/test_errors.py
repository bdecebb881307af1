"""Errors carry what they say, and their message is made from it."""

from __future__ import annotations

import pickle

import pytest

from amdnet_matminer import errors
from amdnet_matminer.errors import AMDNetError, DatasetError, StructureError, TargetError
from amdnet_matminer.parallel import map_structures
from amdnet_matminer.validation.structures import check_structures

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AMDNetError)]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StructureError("has no sites", "remove it"), "structure has no sites; remove it"),
        (StructureError("has no sites", index=0), "structure 0 has no sites"),
        (StructureError("has no sites", index=3, item="mp-1"), "structure 'mp-1' has no sites"),
        (StructureError("is disordered", index=3, site=0), "structure 3, site 0 is disordered"),
        (StructureError("are one", index=3, site=(0, 4)), "structure 3, sites 0 and 4 are one"),
        (TargetError("is nan", index=2), "label 2 is nan"),
        (TargetError("is nan", index=2, subject="sample weight"), "sample weight 2 is nan"),
        (DatasetError("is empty", "give another", item="a.csv"), "a.csv is empty; give another"),
        (StructureError("got no structures", subject=""), "got no structures"),
    ],
)
def test_the_message_is_made_from_the_attributes(error: AMDNetError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize("kind", KINDS)
def test_errors_travel_between_processes(kind: type[AMDNetError]) -> None:
    error = kind("is wrong", "mend it", item="x", index=4, site=(1, 2), subject="thing")
    sent = pickle.loads(pickle.dumps(error))
    assert type(sent) is kind
    assert vars(sent) == vars(error)
    assert str(sent) == str(error) == "thing 'x', sites 1 and 2 is wrong; mend it"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_re_addressed(kind: type[AMDNetError]) -> None:
    error = kind("is wrong", "mend it", index=4)
    named = error.at(item="mp-1")
    assert (named.item, named.index, named.reason, named.remedy) == ("mp-1", 4, "is wrong", "mend it")
    assert error.item is None


def test_where_a_crystal_is_at_fault_is_known(rock_salt) -> None:
    disordered = rock_salt.copy()
    disordered.replace(2, {"Mg": 0.5, "Ca": 0.5})
    with pytest.raises(StructureError) as caught:
        check_structures([rock_salt, disordered])
    assert (caught.value.index, caught.value.site) == (1, 2)
    assert caught.value.remedy.startswith("order it first")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_where_a_crystal_fails_in_a_worker_is_known(rock_salt, n_jobs) -> None:
    def fail(structures: object) -> None:
        raise StructureError("is odd", "remove it", site=5)

    with pytest.raises(StructureError) as caught:
        list(map_structures(fail, [rock_salt], n_jobs, indices=[7]))
    assert (caught.value.index, caught.value.site, caught.value.reason) == (7, 5, "is odd")
