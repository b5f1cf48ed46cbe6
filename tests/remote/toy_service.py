"""A program that stands in for `stripmocap serve --attached`: it answers health, and no more.

python toy_service.py DATA [silent|broken]
"""

import http.server
import json
import os
import re
import sys
import threading
import time
from pathlib import Path

# The contract cannot be imported here: whichever Python is at hand runs this.
JOBS = Path(__file__).parents[2] / "backend" / "stripmocap" / "contract" / "jobs.py"
CONTRACT = int(re.findall(r"^CONTRACT = (\d+)", JOBS.read_text(encoding="utf-8"), re.M)[0])
HEALTH = {
    "version": "0", "contract": CONTRACT, "epoch": "e", "remote": False, "finish_jobs": False,
    "devices": [], "methods": [], "queued": 0, "running": 0, "disk_free": 1, "cache_size": 0,
    "cache_limit": 1, "notices": [],
}  # fmt: skip


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = json.dumps(HEALTH).encode()
        self.send_response(200)
        self.send_header("Stripmocap-Contract", str(HEALTH["contract"]))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main() -> None:
    data, mood = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    if mood == "broken":
        sys.exit("the disk is upside down")
    if mood == "silent":
        time.sleep(600)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = {
        "url": f"http://127.0.0.1:{server.server_port}", "token": "t", "pid": os.getpid(),
        "epoch": "e", "version": "0", "contract": CONTRACT,
    }  # fmt: skip
    (data / "server.json").write_text(json.dumps(told), encoding="utf-8")
    sys.stdin.read()  # until whoever started this has gone


if __name__ == "__main__":
    main()
