"""Records and file formats that both houses share: numpy and the standard library only."""
