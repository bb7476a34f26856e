"""Which regions of a photo matter: hide each in turn and see what is lost.

Windows of 2 x 2 cells slide over a grid of 7 x 7; what a cell is worth is the mean of the windows that cover it. It is
occlusion (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014) with the averaging of
RISE (Petsiuk, Das and Saenko, BMVC 2018), on windows that are not drawn by chance: the same query has the same map.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 7  # cells
WINDOW = 2  # cells

Floats = NDArray[np.float64]


@cache
def windows() -> NDArray[np.bool_]:
    """[M, SIDE, SIDE]: True where a window hides the picture."""
    places = range(SIDE - WINDOW + 1)
    hidden = np.zeros((len(places) ** 2, SIDE, SIDE), dtype=bool)
    for number, (row, column) in enumerate((row, column) for row in places for column in places):
        hidden[number, row : row + WINDOW, column : column + WINDOW] = True
    return hidden


def by_cell(losses: Floats) -> Floats:
    """[M], what is lost behind each window -> [SIDE, SIDE]."""
    hidden = windows()
    cells: Floats = np.tensordot(losses, hidden, axes=1) / hidden.sum(axis=0)
    return cells
