"""Import this before torch: threads of a parallel loop sleep while they wait, instead of spinning.

On a machine that does other things too, spinning threads keep each other off the cores: training the sample took
100 s with spinning and 7 s without, on two busy cores. OpenMP reads this once, when torch loads it, so it cannot be
a setting that is read later. Whoever wants spinning sets OMP_WAIT_POLICY=ACTIVE.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
