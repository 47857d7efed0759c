"""`sightline enrol`: people from a table, with their photos."""
