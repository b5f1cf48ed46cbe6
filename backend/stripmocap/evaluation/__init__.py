"""How good a capture is: errors against a truth, pictures to look at, and times to compare."""
