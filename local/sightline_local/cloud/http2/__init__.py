"""HTTP/2 with prior knowledge (RFC 9113 §3.3): how the Java SDK speaks to Kinesis. No TLS, no upgrade.

`connection.py` is one connection and its streams, `request.py` one stream's request as WSGI sees it. What a
frame means is the library h2's affair.
"""

from sightline_local.cloud.http2.connection import PREFACE_LINE, Connection

__all__ = ["PREFACE_LINE", "Connection"]
