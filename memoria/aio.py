"""AsyncMemory: `Memory`, awaited."""
