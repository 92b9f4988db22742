"""Measuring upscalers: sets of pictures, measures, scores, and what shows them."""
