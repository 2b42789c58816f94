"""Calibration: from a cell library to the prices of `archmodels/tech/NAME.yaml`."""
