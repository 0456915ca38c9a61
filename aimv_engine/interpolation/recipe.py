"""What in-betweens depend on besides their keyframes. Importable without torch."""

from aimv_engine import weights

RECIPE = 1  # raised by whatever changes the pictures (motion, morph, joining), so that old ones are made anew
IDENTITY = f"rife {weights.FILES['rife'].sha256[:16]}, recipe {RECIPE}"
