"""What Sightline costs in time and memory: `make bench`, read by docs/performance.md."""
