"""The table of models and their settings, and a further entry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from amdnet_matminer import AMDNetRegressor
from amdnet_matminer.errors import AMDNetError, DatasetError
from amdnet_matminer.matbench.leaderboard import TASKS, is_classification
from amdnet_matminer.matbench.models import MODELS, Machine, Model, magpie_features, settings_of
from amdnet_matminer.matbench.settings import RECIPES, SEEN
from amdnet_matminer.matbench.tasks import n_official_rows

NETWORKS = [name for name, model in MODELS.items() if model.is_network]


@pytest.mark.parametrize("name", MODELS)
def test_every_entry_is_complete(name: str) -> None:
    model = MODELS[name]
    assert 5 <= len(model.algorithm) <= 15
    assert "default" in model.presets
    for settings in model.presets.values():
        assert set(settings) == set(TASKS)
        for task in TASKS:
            made = model.make(task, dict(settings[task]), Machine(n_jobs=1))
            assert callable(made.fit)
            if model.is_network:
                assert made.get_params().items() >= settings[task].items()


@pytest.mark.parametrize("task", TASKS)
def test_default_settings_train_for_a_while(task: str) -> None:
    settings = MODELS["amdnet"].presets["default"][task]
    steps = settings["epochs"] * 0.8 * n_official_rows(task) / settings["batch_size"]
    assert 5_000 < steps < 200_000
    assert len(RECIPES[task].reason) > 20


def test_a_pretrained_model_is_refused_where_it_has_seen_test_crystals(options_of: Callable) -> None:
    for task in TASKS:
        if task in SEEN:
            with pytest.raises(AMDNetError, match=f"{task} takes no pretrained model: mp2018-band-gap"):
                settings_of("amdnet-finetuned", task, options_of())
        else:
            found = settings_of("amdnet-finetuned", task, options_of())
            assert found["init_from"] == "mp2018-band-gap"
            assert settings_of("amdnet", task, options_of())["init_from"] is None


def test_a_pretrained_model_in_a_file_of_settings_is_refused(options_of: Callable, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    given = {"matbench_mp_gap": "mp2018-band-gap", "matbench_log_kvrh": "mp-moduli"}
    file.write_text(json.dumps({task: {"init_from": start} for task, start in given.items()}))
    for task, start in given.items():
        with pytest.raises(AMDNetError, match=f"takes no pretrained model: {start}"):
            settings_of("amdnet", task, options_of("--preset", str(file)))


def test_presets_for_one_task_and_for_all(options_of: Callable) -> None:
    task, other = "matbench_phonons", "matbench_mp_gap"
    options = options_of("--preset", "quick", f"{task}=published")
    assert settings_of("amdnet", task, options)["learning_rate"] == 5e-5
    assert settings_of("amdnet", other, options)["epochs"] == 10
    assert settings_of("rf-motif", task, options)["n_estimators"] == 500
    assert settings_of("rf-motif", other, options)["n_estimators"] == 100


def test_given_settings_go_before_the_preset(options_of: Callable) -> None:
    options = options_of("--preset", "quick", "--epochs", "3", "--seed", "5")
    found = settings_of("amdnet-2021", "matbench_phonons", options)
    expected = {"epochs": 3, "batch_size": 64, "random_state": 5, "architecture": "amdnet-2021"}
    assert found.items() >= expected.items()
    assert found["optimizer"] == "adamw"
    assert not {"cache_dir", "n_jobs", "verbose", "checkpoint_dir"} & set(found)
    assert settings_of("mean", "matbench_phonons", options) == {}
    assert settings_of("rf-motif", "matbench_phonons", options)["random_state"] == 5


@pytest.mark.parametrize("model", ["megnet", "rf-magpie"])
def test_recorded_settings_are_a_preset(options_of: Callable, tmp_path: Path, model: str) -> None:
    found = settings_of(model, "matbench_phonons", options_of("--epochs", "7", "--seed", "3"))
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"matbench_phonons": found}))
    options = options_of("--preset", str(file))
    assert settings_of(model, "matbench_phonons", options) == found
    with pytest.raises(DatasetError, match="holds no settings of matbench_jdft2d"):
        settings_of(model, "matbench_jdft2d", options)


@pytest.mark.parametrize("model", ["amdnet-2021", "amdnet-finetuned", "megnet", "rf-magpie"])
def test_a_file_of_some_settings_leaves_a_model_what_it_is(
    options_of: Callable, tmp_path: Path, model: str
) -> None:
    of_model = {"n_estimators": 7} if model == "rf-magpie" else {"epochs": 5}
    file = tmp_path / "settings"  # of any name
    file.write_text(json.dumps({"matbench_phonons": of_model}))
    default = settings_of(model, "matbench_phonons", options_of("--seed", "3"))
    found = settings_of(model, "matbench_phonons", options_of("--preset", str(file), "--seed", "3"))
    assert found.items() >= (of_model | {"random_state": 3}).items()
    for name in ("architecture", "init_from", "optimizer"):
        assert found.get(name) == default.get(name)


def test_a_file_of_another_models_settings_is_refused(options_of: Callable, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"matbench_phonons": {"architecture": "megnet"}}))
    with pytest.raises(
        DatasetError, match="says architecture 'megnet' of matbench_phonons, but AMDNet is 'amdnet'"
    ):
        settings_of("amdnet", "matbench_phonons", options_of("--preset", str(file)))


@pytest.mark.parametrize(
    ("settings", "model", "reason"),
    [
        ({"epoch": 5}, "amdnet", "AMDNet cannot take: .*'epoch'"),
        ({"epochs": -5}, "amdnet", "AMDNet cannot take: epochs"),
        ({"trees": 5}, "rf-motif", "RF-Motif cannot take: .*'trees'"),
    ],
)
def test_settings_that_a_model_cannot_take_are_refused_before_anything_is_run(
    options_of: Callable, tmp_path: Path, settings: dict, model: str, reason: str
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"matbench_phonons": settings}))
    with pytest.raises(DatasetError, match=reason):
        settings_of(model, "matbench_phonons", options_of("--preset", str(file)))


def test_a_further_model_is_one_entry(
    run: Callable, complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(task: str, settings: dict, machine: Machine) -> object:
        return make_pipeline(FunctionTransformer(magpie_features), Ridge(**settings))

    presets = {
        name: {task: {"alpha": alpha} for task in TASKS}
        for name, alpha in (("default", 1.0), ("stiff", 1e12))
    }
    entry = Model("Ridge-Magpie", "Ridge regression on Magpie's statistics.", make, presets)
    monkeypatch.setitem(MODELS, "ridge", entry)
    assert run("--model", "ridge", "mean", "--preset", "stiff", "--fold", "0") == 0
    ridge, mean = (
        json.loads((tmp_path / "out" / "folds" / name / "matbench_jdft2d" / "fold_0.json").read_text())
        for name in ("ridge", "mean")
    )
    assert ridge["recorded"]["parameters"] == {"alpha": 1e12}
    assert ridge["recorded"]["scores"]["mae"] == pytest.approx(mean["recorded"]["scores"]["mae"], rel=1e-3)
    assert (tmp_path / "out" / "matbench_v0.1_Ridge-Magpie" / "run.py").exists()


def test_networks_are_of_the_kind_that_a_task_asks_for() -> None:
    for name in NETWORKS:
        for task in TASKS:
            made = MODELS[name].make(task, {}, Machine(n_jobs=1))
            assert isinstance(made, AMDNetRegressor) != is_classification(task)


def test_magpie_features(crystals: list[Structure]) -> None:
    features = magpie_features(crystals)
    assert features.shape == (len(crystals), 132)
    assert np.isfinite(features).all()
    mean_number = features[0][3]
    assert mean_number == pytest.approx((22 + 2 * 8) / 3)
