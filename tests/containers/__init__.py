"""What the files for Docker and Kubernetes start, as plain processes: the same commands, without either."""
