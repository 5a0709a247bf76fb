"""The system: processes, pipes, files, logs."""
