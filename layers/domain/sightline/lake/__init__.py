"""The lake's files: which days have too many of them, and which of them are no longer needed."""
