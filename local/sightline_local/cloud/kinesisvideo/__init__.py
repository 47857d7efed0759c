"""Kinesis Video Streams on this machine.

    PutMedia ──▶ ┌──────────────┐ ──▶ GetMedia (live), GetMediaForFragmentList, ListFragments
                 │ FragmentStore│
    CreateStream └──────────────┘ ◀── KinesisVideoService (control plane, behind the gateway)

The media plane is a server of its own (`MediaServer`): PutMedia answers while the request is still being
sent, which WSGI cannot do. The store keeps each fragment as it came: the header of its file and its cluster.
"""

from sightline_local.cloud.kinesisvideo.media_server import MediaServer
from sightline_local.cloud.kinesisvideo.service import KinesisVideoService
from sightline_local.cloud.kinesisvideo.store import FragmentStore

__all__ = ["FragmentStore", "KinesisVideoService", "MediaServer"]
