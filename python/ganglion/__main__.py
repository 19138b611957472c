"""``python -m ganglion``."""

from __future__ import annotations

import sys

from ganglion.cli import main

sys.exit(main())
