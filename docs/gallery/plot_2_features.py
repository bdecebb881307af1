"""
Motif features in a random forest
=================================

From a dataframe of crystals to columns that describe their motifs, and to a model that says which
it needs.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split

from amdnet_matminer import MotifFeaturizer
from amdnet_matminer.datasets import oxides
from amdnet_matminer.plots import parity_plot

data = oxides()
featurizer = MotifFeaturizer.from_preset("mp2018")  # motif vectors of 44,787 crystals, nothing to fit
featurizer.set_n_jobs(1)
features = featurizer.featurize_dataframe(data[["structure"]], "structure", pbar=False)
features = features.drop(columns="structure")
features.iloc[:4, -8:].round(2)

# %%
# Any model of scikit-learn takes it from here.

x_train, x_test, y_train, y_test = train_test_split(
    features, data.ewald_energy_per_atom, test_size=0.2, random_state=0
)
forest = RandomForestRegressor(max_features=1 / 3, random_state=0).fit(x_train, y_train)
predicted = forest.predict(x_test)
print(f"mean value    MAE {mean_absolute_error(y_test, [y_train.mean()] * len(y_test)):.2f} eV/atom")
print(f"random forest MAE {mean_absolute_error(y_test, predicted):.2f} eV/atom")
parity_plot(y_test, predicted, "Ewald energy", "eV/atom")

# %%
# Which features could it not do without? Of the 15 that the forest uses most, each is shuffled in
# turn.

used = features.columns[forest.feature_importances_.argsort()[::-1][:15]]
smaller = RandomForestRegressor(n_estimators=50, random_state=0).fit(x_train[used], y_train)
shuffled = permutation_importance(
    smaller, x_test[used], y_test, scoring="neg_mean_absolute_error", random_state=0
)
rise = pd.Series(shuffled.importances_mean, used).nlargest(6)

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
rise[::-1].plot.barh(ax=ax, xlabel="rise of the error when shuffled (eV/atom)")
