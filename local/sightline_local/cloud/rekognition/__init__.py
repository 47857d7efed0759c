"""Rekognition on this machine: collections, faces in pictures and stream processors, on the embedded engine.

    pictures ──▶ ImageOperations ──▶ FacePool ◀── ProcessorRun ◀── GetMedia (video stream)
                       │                              │
                       └──────▶ Collection ◀──────────┴──▶ PutRecords (face stream)

A processor really assumes the role it was given, and fails with AWS's StatusMessage for whatever the role may
not do. Similarities are on the engine's own scale, anchored at Rekognition's lowest threshold.
"""

from sightline_local.cloud.rekognition.service import RekognitionService

__all__ = ["RekognitionService"]
