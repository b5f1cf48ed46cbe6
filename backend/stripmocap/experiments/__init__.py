"""Experiments that are run by hand: what the service survives, counted on this machine."""
