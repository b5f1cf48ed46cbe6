"""HuMoR: a motion prior that keeps feet on the ground."""
