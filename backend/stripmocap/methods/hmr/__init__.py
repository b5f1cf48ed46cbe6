"""HMR and SPIN: a body from one look at one frame."""
