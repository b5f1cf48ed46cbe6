import torch
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.geometry.rotations import aa_to_matrix, matrix_to_aa
from stripmocap.methods.humor.state import (
    CHANGE_NUMBERS,
    CONTACT_JOINTS,
    Change,
    State,
    changed,
    contact_chances,
)
from torch.testing import assert_close


def test_parts_put_together_are_the_state_they_were_taken_from(draw):
    state = draw(4)

    again = State.of(
        transl=state.transl,
        transl_vel=state.transl_vel,
        global_orient=state.global_orient,
        global_orient_vel=state.global_orient_vel,
        body_pose=state.body_pose,
        joints=state.joints,
        joints_vel=state.joints_vel,
    )

    assert torch.equal(again.numbers, state.numbers)


def test_no_change_leads_to_the_same_moment(draw):
    state = draw(3)

    same = changed(state, Change(torch.zeros(3, CHANGE_NUMBERS, dtype=torch.float64)))

    assert_close(same.numbers, state.numbers, rtol=0, atol=1e-7)


def test_a_change_adds_to_places_and_turns_rotations_from_the_left(draw):
    state = draw(1)
    numbers = torch.zeros(1, CHANGE_NUMBERS, dtype=torch.float64)
    numbers[0, 2] = 0.5  # up
    numbers[0, 8] = 0.3  # rad about z
    numbers[0, 12] = 0.2  # rad about the first body joint's x
    numbers[0, 75 + 3 * 21 + 1] = 0.1  # the last joint forward
    numbers[0, 141] = 2.0  # the pelvis' velocity to the right

    after = changed(state, Change(numbers))

    turn = aa_to_matrix(torch.tensor([[0.0, 0.0, 0.3]], dtype=torch.float64))
    bend = aa_to_matrix(torch.tensor([[0.2, 0.0, 0.0]], dtype=torch.float64))
    assert_close(after.transl - state.transl, torch.tensor([[0, 0, 0.5]], dtype=torch.float64))
    assert_close(after.global_orient, turn @ state.global_orient)
    assert_close(after.body_pose[:, 0], bend @ state.body_pose[:, 0])
    assert_close(after.body_pose[:, 1:], state.body_pose[:, 1:], rtol=0, atol=1e-7)
    assert_close((after.joints - state.joints)[0, 21, 1].item(), 0.1)
    assert_close((after.joints_vel - state.joints_vel)[0, 0, 0].item(), 2.0)


def test_rotations_stay_rotations_over_many_changes(draw):
    state = draw(2)
    generator = torch.Generator().manual_seed(1)

    for _ in range(50):
        step = torch.randn(2, CHANGE_NUMBERS, generator=generator, dtype=torch.float64)
        state = changed(state, Change(step))

    # aa_to_matrix adds 1e-8 to what it measures the length of.
    unit = torch.eye(3, dtype=torch.float64).expand(2, 21, 3, 3)
    assert_close(state.body_pose @ state.body_pose.mT, unit, rtol=0, atol=1e-6)
    assert matrix_to_aa(state.global_orient).isfinite().all()


def test_contacts_have_their_joints_and_the_others_never_touch():
    chances = contact_chances(torch.tensor([[0.0] * 8 + [100.0]]))

    others = sorted(set(range(22)) - set(CONTACT_JOINTS))
    assert chances[0, JOINT_NAMES.index("right_wrist")] == 1
    assert chances[0, JOINT_NAMES.index("left_foot")] == 0.5
    assert (chances[0, others] == 0).all()
