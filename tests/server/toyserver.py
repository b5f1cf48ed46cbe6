"""A server to be killed: `toyserver.py FOLDER HABIT DEED` says its worker's id once it works."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from server.service import Service


def main() -> None:
    folder, habit, deed = sys.argv[1:]
    with Service(Path(folder), habit=habit) as service:
        if deed:
            service.until_works(service.add(deed))
        service.until(lambda: service.workers())
        print(service.workers()[0].pid, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
