import numpy as np
from numpy.testing import assert_allclose
from stripmocap_extension.addon.contract import quaternions
from stripmocap_extension.addon.rigging.quaternions import continuous


def test_signs_do_not_jump_while_a_bone_spins_round_three_times():
    angles = np.linspace(0, 6 * np.pi, 200)
    wrapped = (angles + np.pi) % (2 * np.pi) - np.pi  # as axis-angles come from a file
    quats = quaternions.aa_to_quat(wrapped[:, None] * [0.6, 0.0, 0.8])

    smooth = continuous(quats)

    assert np.sum(smooth[1:] * smooth[:-1], axis=-1).min() > 0.99
    assert_allclose(
        quaternions.quat_to_matrix(smooth), quaternions.quat_to_matrix(quats), atol=1e-12
    )


def test_first_frame_has_no_negative_w():
    quats = -quaternions.aa_to_quat(np.array([[0.1, 0, 0], [0.2, 0, 0]]))

    assert (continuous(quats)[:, 0] > 0).all()
