"""Bayesian search for settings (Optuna's TPE), pruned and chosen on validation alone."""
