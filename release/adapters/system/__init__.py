"""Programs, processes, files and the clock of this machine."""
