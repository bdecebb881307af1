"""The cards of what comes with the package, from its result files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from accuracy import FEWEST
from tables import n_labelled


class Data(NamedTuple):
    """What a card says of the crystals that a model has learned from."""

    training: str
    """Which they are."""
    validation: str
    """On which others it is scored."""
    labels: str
    """What their labels are."""
    computed: str
    """How those differ from measured ones."""
    scored: str
    """On what the model must not be scored."""


_SNAPSHOT = (
    "the training part of the Materials Project snapshot 2018.6.1 (the published MEGNet/ALIGNN "
    "split) as far as structures could be had, all chemistries"
)
_MP_LABELS = "as the Materials Project has it (PBE, PBE+U)"
_MP_COMPUTED = (
    "PBE band gaps are too small by about a third to a half, and\ntwo snapshots of the Materials "
    "Project differ by 0.056 eV and 0.014 eV/atom on average"
)
_MP_SCORED = (
    "Do not score these models on other parts of the Materials Project, such as\nMatBench's mp "
    "tasks: the same crystals are in them."
)
DATA = {
    "mp2018": Data(_SNAPSHOT, "the validation part", _MP_LABELS, _MP_COMPUTED, _MP_SCORED),
    "mp": Data(
        f"{_SNAPSHOT}; and 49 of 50 crystals that MatBench's mp tasks have beside it, without those that are "
        "in its validation or test part or like one there; all as far as what is learned of them is known, "
        "which a gap is of two thirds of the latter",
        "the validation part of mp2018 and of a fiftieth of the other crystals",
        _MP_LABELS,
        _MP_COMPUTED,
        _MP_SCORED,
    ),
    "matbench_elastic": Data(
        "nine tenths, drawn at random, of the crystals of MatBench's log_gvrh and log_kvrh "
        "as far as structures could be had",
        "the other tenth",
        f"{_MP_LABELS[:-1]}; Voigt-Reuss-Hill averages), the "
        "decadic logarithm of the bulk modulus K and the shear modulus G",
        "they are of perfect crystals at 0 K, and stiff and soft directions are averaged; "
        "elements are\npredicted badly (silicon 138 and 114 GPa, which has 83 and 61)",
        "Do not score this model on MatBench's log_gvrh and log_kvrh:\nmost of their test "
        "crystals are in its training data.",
    ),
}
"""By the name that ``train_models.py`` calls them."""
_LICENCE = (
    "Materials Project, CC BY 4.0: A. Jain et al., APL Materials 1, 011002 (2013), doi 10.1063/1.4812323"
)
_COMMAND = "`python benchmarks/make_pretrained.py`"
LIMITS = """Motifs are called by the geometry that most of a crystal's motifs have; rows of fewer than
{fewest} crystals are left out.

## Limits

The labels are computed, not measured: {computed}. Structures
should be relaxed with the same functional. A model knows neither magnetism nor charge, temperature nor
disorder. The table tells the weakest kinds. `novelty` tells which motifs and elements
were not in the training data. {scored}
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
        "data": f"{result['crystals']:,} crystals, {DATA['mp2018'].training}; structures only, no properties",
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
    data = DATA[result["data"]]
    kind = "AMDNetClassifier" if _is_class(result["errors"]) else "AMDNetRegressor"
    lines = [f"# Model `{name}`", "", f'`{kind}.from_pretrained("{name}")`', ""]
    lines += [_table(_facts(size, result)), "", f"## Error on {data.validation}", ""]
    before = {} if _is_class(result["errors"]) else result.get("before", {})
    lines += [*_errors_by_kind(result["errors"], before), ""]
    return "\n".join([*lines, LIMITS.format(fewest=FEWEST, computed=data.computed, scored=data.scored)])


def _errors_by_kind(errors: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """The lines of the table, with a column for each target, and for what a model before it reached."""
    heads = [
        f"{_measure(of)} of {target}" + f" ({of['unit']})" * bool(of["unit"]) for target, of in errors.items()
    ]
    heads += ["before" for _ in before]
    yield f"| kind | crystals | {' | '.join(heads)} |"
    yield "|---|---|" + "---|" * len(heads)
    divisions = [of["by kind"] for of in (*errors.values(), *before.values())]
    for division, parts in divisions[0].items():
        for label, part in parts.items():
            if part["n"] >= FEWEST:
                found = " | ".join(f"{of[division][label]['mae']:.3f}" for of in divisions)
                yield f"| {division}: {label.partition(': ')[2] or label} | {part['n']:,} | {found} |"


def _facts(size: int, result: dict[str, Any]) -> dict[str, str]:
    """The first table of a card."""
    errors, members, data = result["errors"], result["members"], DATA[result["data"]]
    measure = _measure(next(iter(errors.values())))
    targets = [target + f" in {of['unit']}" * bool(of["unit"]) for target, of in errors.items()]
    facts = {
        "predicts": f"{' and '.join(targets)}, {data.labels}",
        "data": f"{result['n_train']:,} crystals, {data.training}",
        "licence of the data": _LICENCE,
        "networks": f"{len(members)} of {result['parameters_per_network']:,} parameters: "
        + "; ".join(f"{name}, {measure} {_figures(error)}" for name, error in members.items()),
        "settings": "those of the runs of these names in `benchmarks/train_models.py`",
        "training": f"{result['seconds'] / 60:.0f} minutes on {result['device']}; "
        f"epochs judged by {data.validation}",
    }
    facts |= _of_classes(result) if _is_class(errors) else _of_values(result)
    return facts | {
        "file": f"{size / 1e6:.1f} MB, plain arrays without pickle",
        "to make it again": _COMMAND,
    }


def _of_values(result: dict[str, Any]) -> dict[str, str]:
    """What a card says of errors of numbers, and of their spread."""
    errors, held = result["errors"], DATA[result["data"]].validation
    facts = {
        "spread": "none, there is one network"
        if len(result["members"]) == 1
        else f"of {100 * result['within one std']:.0f}% of {held} the error is below the "
        "standard deviation of `return_std=True`, which was scaled on it to be so for 68%",
        "error": "; ".join(
            f"MAE {of['mae']:.4f} {of['unit']}, median {of['median']:.4f}, on {n_labelled(of):,} crystals"
            for of in errors.values()
        )
        + f" of {held}",
    }
    return facts | (_beside_before(result) if "before" in result else {})


def _of_classes(result: dict[str, Any]) -> dict[str, str]:
    """What a card says of errors of classes, beside those of the gaps from which the network went on."""
    ((name, now),), (gaps,) = result["errors"].items(), result["before"].values()
    return {
        "classes": f"True of {name.replace('_', ' ')}: the band gap is 0",
        "error": f"the likelier class is wrong of {now['mae']:.2%} of the {n_labelled(now):,} crystals of "
        f"{DATA[result['data']].validation}; area under the curve {now['auc of metals']:.4f}, by the "
        f"small gaps of `{result['init_from']}`, from which the network went on, {gaps['auc of metals']:.4f}",
        "probabilities": f"log loss {now['log loss']:.4f}; they differ from the part of metals by "
        f"{now['calibration error']:.4f} in the mean (expected calibration error, ten bins)",
    }


def _beside_before(result: dict[str, Any]) -> dict[str, str]:
    """What a card says of a model that went on from another: its error beside that one's, on the same."""
    (now,), (before,) = result["errors"].values(), result["before"].values()
    told = {
        "before": f"`{result['init_from']}`, from which the networks went on, has MAE {before['mae']:.4f} "
        f"{before['unit']} on the same crystals",
        "wrong answers": f"{now['large']:.2%} are off by more than 0.5 {now['unit']}; before "
        f"{before['large']:.2%}",
    }
    if now.get("auc of metals") is not None:
        told["metals"] = f"told by a small gap with an area under the curve of {now['auc of metals']:.4f}"
    return told


def _is_class(errors: dict[str, Any]) -> bool:
    """Whether errors are those of classes, which have no unit."""
    return not all(of["unit"] for of in errors.values())


def _measure(errors: dict[str, Any]) -> str:
    return "MAE" if errors["unit"] else "wrong part"


def _figures(error: float | list[float]) -> str:
    """The error of a network, or one for each of its targets."""
    return " and ".join(f"{each:.4f}" for each in (error if isinstance(error, list) else [error]))


def _table(facts: dict[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in facts.items())])
