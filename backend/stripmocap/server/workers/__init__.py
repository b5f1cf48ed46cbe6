"""Worker processes: started, fed, watched and ended, so that what crashes costs one job."""
