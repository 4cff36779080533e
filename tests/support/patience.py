"""How long a test waits for something that must happen."""

from typing import Final

# Only a hang takes this long, on a busy machine too. It is less than pytest's timeout for one test,
# so that the failure says what did not happen.
PATIENCE: Final = 90.0  # seconds
