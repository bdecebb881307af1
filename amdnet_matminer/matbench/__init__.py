"""MatBench's structure tasks: train on the official folds, record, compare, make the submission.

``arguments`` reads the command line, ``models`` is the table of what can be trained, ``tasks`` loads
the crystals, ``folds`` trains and records one fold, ``runs`` all of them, ``submission`` makes and
checks the folder to submit, ``summary`` and ``report`` compare with the leaderboard, ``publish``
writes result files. A fold is one file, written whole: all else is made from these files. The
package ``matbench`` is imported where it is needed, and only there.
"""
