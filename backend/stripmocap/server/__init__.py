"""The service: a durable queue of captures, workers that may die alone, and the calls that ask."""
