#!/usr/bin/env python3
"""One command for everything: `python3 run.py --help`. Needs Python 3.11 or newer and git, nothing else.

This file must also be readable by old Pythons, so that they can say what is missing. The work is in tools/.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Flux needs Python 3.11 or newer; this is %s.\n"
        "Run the same command with a newer one, for example: python3.12 run.py" % sys.version.split()[0]
    )

from tools.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
