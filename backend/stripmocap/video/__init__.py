"""Pictures of a video, in order and with their times."""
