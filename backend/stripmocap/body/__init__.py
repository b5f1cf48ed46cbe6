"""The body in torch: from shape and pose to vertices, joints and keypoints."""
