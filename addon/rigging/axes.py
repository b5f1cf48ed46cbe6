"""The only file that knows more than one axis system.

Rest body: y up, facing +z, left arm along +x. Blender: z up, a character faces -y, left arm along
+x. Camera axes of a capture are OpenCV's (x right, y down, z forward); Blender's camera has x
right, y up and looks along -z. The world of a capture is Blender's: z up, ground at 0, metres.
"""

from __future__ import annotations

import numpy as np

# A quarter turn about x: y becomes z, z becomes -y.
BLENDER_FROM_REST = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])

# Half a turn about x: its own inverse.
CAMERA_FROM_BLENDER_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])


def rest_to_blender(points: np.ndarray) -> np.ndarray:
    """(..., 3) points or directions of the rest body in Blender's axes."""
    return np.asarray(points, dtype=np.float64) @ BLENDER_FROM_REST.T


def blender_camera_matrix(world_from_camera: np.ndarray) -> np.ndarray:
    """(..., 4, 4) `matrix_world` of the Blender camera that sees what the capture's camera saw."""
    return np.asarray(world_from_camera, dtype=np.float64) @ CAMERA_FROM_BLENDER_CAMERA


def world_from_camera(blender_camera_matrix: np.ndarray) -> np.ndarray:
    """(..., 4, 4) of a capture's camera that sees what the Blender camera sees; the inverse."""
    return np.asarray(blender_camera_matrix, dtype=np.float64) @ CAMERA_FROM_BLENDER_CAMERA
