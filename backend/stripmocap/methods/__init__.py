"""From what is seen of a person to a motion: one room a paper."""
