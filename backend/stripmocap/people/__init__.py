"""Who is in the pictures: detection, landmarks and tracks."""
