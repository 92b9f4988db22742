"""The generic adversarial game: losses, phases, the training loop, and the 2014 paper."""

import sys

from core.extras import require_train

# What Python has there while it looks for the module that `python -m` names.
if sys.argv[:1] == ["-m"]:
    require_train()
