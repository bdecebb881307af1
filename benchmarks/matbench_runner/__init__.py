"""What run_matbench.py is made of.

``options`` reads the command line, ``tasks`` loads the crystals, ``models`` and ``presets`` make
the models, ``folds`` trains and records one fold, ``schedule`` runs all of them, ``results`` puts
folds together as MatBench wants them, ``submission`` makes and checks the folder to submit,
``summary``, ``figures`` and ``report`` compare with the leaderboard, ``projection`` tells what a
full run would cost. A fold is one file, written whole: all else is made from these files.
"""
