"""`python -m stripmocap`, the same as the command `stripmocap`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
