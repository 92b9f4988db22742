"""How good a generator's samples are, by several measures that disagree."""
