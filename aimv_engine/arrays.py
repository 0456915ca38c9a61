"""Names for the arrays that flow through the engine."""

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Picture = NDArray[np.uint8]  # [height, width, 3], sRGB
