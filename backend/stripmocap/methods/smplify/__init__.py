"""SMPLify: a body fitted to 2D keypoints by optimisation, in the paper's way and in ours."""
