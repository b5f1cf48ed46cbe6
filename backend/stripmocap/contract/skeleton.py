"""Names, parents and orders of the joints and keypoints that everything else is indexed by.

SMPL's 24 joints carry the names of its literature (Loper et al., SIGGRAPH Asia 2015). BlazePose's
33 landmarks are in the order of its landmark network (Bazarevsky et al., 2020). "Left" is the
person's own left.
"""

JOINT_NAMES = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
)
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
JOINT_COUNT = len(JOINT_NAMES)
BETAS_COUNT = 10

# What may touch something, in the order of HuMoR's chances (Rempe et al., ICCV 2021).
CONTACT_NAMES = (
    *("pelvis", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_foot", "right_foot", "left_wrist", "right_wrist"),
)
CONTACT_COUNT = len(CONTACT_NAMES)

# SMPL-H (Romero et al., SIGGRAPH Asia 2017): SMPL's joints without the hands, then three a finger.
_BODY_COUNT = 22
SMPLH_JOINT_NAMES = JOINT_NAMES[:_BODY_COUNT] + tuple(
    f"{side}_{finger}{phalanx}"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for phalanx in (1, 2, 3)
)
SMPLH_PARENTS = PARENTS[:_BODY_COUNT] + tuple(
    JOINT_NAMES.index(f"{name.partition('_')[0]}_wrist") if name.endswith("1") else joint - 1
    for joint, name in enumerate(SMPLH_JOINT_NAMES)
    if joint >= _BODY_COUNT
)
SMPLH_BETAS_COUNT = 16

BLAZEPOSE_NAMES = (
    "nose",
    "left_eye_inner",
    "left_eye",
    "left_eye_outer",
    "right_eye_inner",
    "right_eye",
    "right_eye_outer",
    "left_ear",
    "right_ear",
    "mouth_left",
    "mouth_right",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_pinky",
    "right_pinky",
    "left_index",
    "right_index",
    "left_thumb",
    "right_thumb",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_foot_index",
    "right_foot_index",
)

# SPIN's 49 (Kolotouros et al., ICCV 2019): OpenPose's 25, then the 24 of its training sets.
SPIN_NAMES = (
    *("OP Nose", "OP Neck", "OP RShoulder", "OP RElbow", "OP RWrist", "OP LShoulder", "OP LElbow"),
    *("OP LWrist", "OP MidHip", "OP RHip", "OP RKnee", "OP RAnkle", "OP LHip", "OP LKnee"),
    *("OP LAnkle", "OP REye", "OP LEye", "OP REar", "OP LEar", "OP LBigToe", "OP LSmallToe"),
    *("OP LHeel", "OP RBigToe", "OP RSmallToe", "OP RHeel"),
    *("RAnkle", "RKnee", "RHip", "LHip", "LKnee", "LAnkle", "RWrist", "RElbow", "RShoulder"),
    *("LShoulder", "LElbow", "LWrist", "Neck", "TopHead", "Pelvis", "Thorax", "Spine", "Jaw"),
    *("Head", "Nose", "LEye", "REye", "LEar", "REar"),
)

# The twelve joints that `stripmocap evaluate` compares: those that every truth agrees on.
LIMB_JOINTS = (
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)


def mirrored(name: str) -> str:
    """The name of the same joint on the other side of the body; a middle joint's own name."""
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")
