"""Strip Mocap's backend: video in, motions of the SMPL body out."""
