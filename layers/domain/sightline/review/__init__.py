"""Alerts after they were raised: found again, acknowledged, resolved."""
