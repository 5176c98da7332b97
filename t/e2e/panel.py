#!/usr/bin/env -S /usr/bin/python3 -B
"""The panel in headless Chromium (t/browser/panel.mjs), on demonstration data."""
import json
import os
import subprocess
from pathlib import Path

from harness import PILOTHOUSE, SOURCE, Instance, expect, run, test

MARKUP = "<img src=x onerror=alert(1)>"
PASSWORDS = {"root": "correct horse battery", "viewer": "staple or something"}

instance = Instance(PH_JOBS="publisher", PH_LIVE_INTERVAL_MS=1000, PH_RATE_TOKEN=0, PH_RATE_ADDRESS=0, PH_RATE_ACTION=1000).with_admin()
instance.add_user("viewer", "viewer")
for name, password in PASSWORDS.items():
    instance.run("user", "passwd", name, text=password + "\n")
instance.run("demo", "--rows", "5000")
instance.sql(f"UPDATE video_assets SET title = '{MARKUP}' WHERE id ="
             " (SELECT video_asset_id FROM clips WHERE id = (SELECT clip_id FROM publish_logs LIMIT 1))")
instance.start()
work = Path(instance.home) / "screenshots"
work.mkdir()
done = subprocess.run(
    ["node", SOURCE / "t/browser/panel.mjs", f"http://127.0.0.1:{instance.port}", work],
    input=json.dumps({**PASSWORDS, "token": instance.token, "pilothouse": str(PILOTHOUSE), "home": str(instance.home)}),
    env=os.environ | instance.env, capture_output=True, text=True, timeout=600)
results = [json.loads(line) for line in done.stdout.splitlines()]

for result in results:
    @test(result["name"])
    def _(result=result):
        expect(result["ok"], result["detail"])


@test("the browser ran to its end")
def _():
    expect(done.returncode == 0 and len(results) >= 20, done.stderr[-2000:])


run()
