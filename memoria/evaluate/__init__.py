"""How good memoria is, measured on data.

What enters: data sets of conversations with questions. What leaves: reports with intervals, beside baselines run in
the same process. `dataset` reads, `metrics` scores, `baselines` rank, `recall` runs the suite, `report` shows it.
"""
