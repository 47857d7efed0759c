"""Who is where now."""
