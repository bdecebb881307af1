"""The cards of what comes with the package, from its result files."""

from __future__ import annotations

from typing import Any

from accuracy import FEWEST

_DATA = (
    "the training part of the Materials Project snapshot 2018.6.1 (the published MEGNet/ALIGNN split) as far "
    "as structures could be had, all chemistries"
)
_LICENCE = (
    "Materials Project, CC BY 4.0: A. Jain et al., APL Materials 1, 011002 (2013), doi 10.1063/1.4812323"
)
_COMMAND = "`python benchmarks/make_pretrained.py`"
LIMITS = """Motifs are called by the geometry that most of a crystal's motifs have; rows of fewer than
{fewest} crystals are left out.

## Limits

The labels are computed, not measured: PBE band gaps are too small by about a third to a half, and
two snapshots of the Materials Project differ by 0.056 eV and 0.014 eV/atom on average. Structures
should be relaxed with the same functional. A model knows neither magnetism nor charge, temperature nor
disorder. The table tells the weakest kinds, such as elements. `novelty` tells which motifs and elements
were not in the training data. Do not score these models on other parts of the Materials Project, such as
MatBench's mp tasks: the same crystals are in them.
"""
_VECTORS = """
**What it is for.** Features of any ordered crystal without a fit, the same in every
project; similar motifs; maps. A motif that is not among the {motifs:,} gets the mean vector
of those most like it, and counts as unknown in the feature "motif known fraction".

The featurizer uses the leading 16 components, `n_components` of them.

**What to keep in mind.** The vectors say where motifs occur, not what energy they have.
Motifs of few crystals have noisy vectors: `to_frame()` tells how many crystals each is
from. The structures overlap with those of other Materials Project data sets, MatBench's
among them; no property was used, so no label can leak, but the vectors of a test
crystal's motifs may have been learned from that crystal too.
"""


def vectors_card(name: str, result: dict[str, Any]) -> str:
    """Tell what motif vectors of the package are.

    Args:
        name: Of the vectors.
        result: What ``make_pretrained.py`` has written of them.

    Returns:
        Markdown.
    """
    settings = ", ".join(f"{key}={value!r}".replace("'", '"') for key, value in result["settings"].items())
    known, all_known = (100 * result[f"validation_{part}"] for part in ("motifs_known", "crystals_all_known"))
    facts = {
        "what": f"a vector of {result['settings']['n_components']} numbers for each of "
        f"{result['motifs']:,} motifs (centre, ligands, geometry), and the mean fingerprint of each geometry",
        "made by": f"`Motif2Vec({settings})`",
        "data": f"{result['crystals']:,} crystals, {_DATA}; structures only, no properties",
        "licence of the data": _LICENCE,
        "file": f"`{name}.npz`, {result['bytes'] / 1e6:.1f} MB, plain arrays without pickle",
        "coverage": f"of the {result['validation_crystals']:,} crystals of the validation part: {known:.1f}% "
        f"of the motifs are known, and in {all_known:.1f}% of the crystals all are",
        "to make it again": f"{_COMMAND.rstrip('`')} --what vectors`",
    }
    call = f'`MotifFeaturizer.from_preset("{name}")` or `pretrained_motif2vec("{name}")`'
    return f"# Motif vectors `{name}`\n\n{call}\n\n{_table(facts)}\n{_VECTORS.format(**result)}"


def model_card(name: str, size: int, result: dict[str, Any]) -> str:
    """Tell what a shipped model is from its result file.

    Args:
        name: Of the model.
        size: Of its file in bytes.
        result: What ``make_pretrained.py`` has written of it.

    Returns:
        Markdown.
    """
    ((_, errors),) = result["errors"].items()
    call = f'`AMDNetRegressor.from_pretrained("{name}")`'
    lines = [f"# Model `{name}`", "", call, "", _table(_facts(size, result))]
    lines += ["", f"## Error on the validation part ({errors['unit']})", ""]
    lines += ["| kind | crystals | MAE |", "|---|---|---|"]
    lines += [
        f"| {division}: {label.partition(': ')[2] or label} | {part['n']:,} | {part['mae']:.3f} |"
        for division, parts in errors["by kind"].items()
        for label, part in parts.items()
        if part["n"] >= FEWEST
    ]
    return "\n".join([*lines, "", LIMITS.format(fewest=FEWEST)])


def _facts(size: int, result: dict[str, Any]) -> dict[str, str]:
    """The first table of a card."""
    ((target, errors),) = result["errors"].items()
    unit, members = errors["unit"], result["members"]
    return {
        "predicts": f"{target} in {unit}, as the Materials Project has it (PBE, PBE+U)",
        "data": f"{result['n_train']:,} crystals, {_DATA}",
        "licence of the data": _LICENCE,
        "networks": f"{len(members)} of {result['parameters_per_network']:,} parameters: "
        + "; ".join(f"{name}, MAE {error:.4f}" for name, error in members.items()),
        "settings": "those of the runs of these names in `benchmarks/train_mp2018.py`",
        "training": f"{result['seconds'] / 60:.0f} minutes on {result['device']}; epochs judged by the "
        "validation part",
        "spread": "none, there is one network"
        if len(members) == 1
        else f"of {100 * result['within one std']:.0f}% of the validation part the error is below the "
        "standard deviation of `return_std=True`, which was scaled on it to be so for 68%",
        "error": f"MAE {errors['mae']:.4f} {unit}, median {errors['median']:.4f}, on the "
        f"{result['n_validation']:,} crystals of the validation part",
        "file": f"{size / 1e6:.1f} MB, plain arrays without pickle",
        "to make it again": _COMMAND,
    }


def _table(facts: dict[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts.items())])
