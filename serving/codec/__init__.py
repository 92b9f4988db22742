"""From image files to pixels and back, with 16-bit samples, orientation and colour profiles."""
