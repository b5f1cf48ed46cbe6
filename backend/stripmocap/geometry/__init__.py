"""Formulas of rotations, cameras and alignment: pure torch functions that know nothing of ours."""
