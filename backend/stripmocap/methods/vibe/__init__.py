"""VIBE: bodies over time, from the features of single frames (Kocabas et al., CVPR 2020)."""
