"""Devices: registered cameras, what their owners want of them, and what they do."""
