"""`python -m chartoci`."""

import sys

from chartoci.cli import main

if __name__ == "__main__":
    sys.exit(main())
