"""What reads the sightings stream besides the functions: lake, warehouse, Flink SQL, presence worker."""
