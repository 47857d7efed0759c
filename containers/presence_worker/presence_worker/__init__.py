"""Who is where now, kept by the Kinesis Client Library: its daemon is Java, the record processor ours."""
