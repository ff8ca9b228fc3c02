"""What memoria did, as typed events."""
