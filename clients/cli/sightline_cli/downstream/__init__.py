"""What reads the sightings stream besides the functions: Flink SQL and the presence worker, run on this machine."""
