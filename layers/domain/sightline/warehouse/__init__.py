"""The warehouse: its schema, and how it is filled from the sightings stream and the tables."""
