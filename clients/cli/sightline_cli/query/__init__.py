"""`sightline query`: questions in SQL to the lake of a local stack."""
