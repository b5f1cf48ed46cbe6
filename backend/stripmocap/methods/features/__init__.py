"""What a regressor looks at: pixels of a crop, or the keypoints in it."""
