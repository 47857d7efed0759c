"""`sightline demo`: the whole system on one machine, from a face in a video to the alert about it."""
