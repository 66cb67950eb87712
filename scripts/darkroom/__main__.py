"""`python -m darkroom`, which is what the command `darkroom` runs."""

import sys

from darkroom.cli import main

sys.exit(main())
