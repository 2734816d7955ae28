"""The embedded engine: reads words, layout and pixels without a large model; it never invents, what it cannot read is null."""
