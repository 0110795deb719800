"""What every contender prints when it is done: one line of JSON."""

from __future__ import annotations

import json
import resource
import time

STARTED = time.monotonic()


class Work:
    """Measures the work apart from the start of the program: `with Work() as work: ...`."""

    def __enter__(self) -> Work:
        self.start_cpu = time.process_time()
        self._wall = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            print(
                json.dumps(
                    {
                        "cpu": time.process_time() - self.start_cpu,
                        "wall": time.monotonic() - self._wall,
                        "start_cpu": self.start_cpu,
                        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                    }
                ),
                flush=True,
            )
