"""`python -m airflow_provider_flux.cli`, where the console script is not on the path."""

import sys

from airflow_provider_flux.cli.entry import main

sys.exit(main())
