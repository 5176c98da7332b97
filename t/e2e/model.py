"""The second opinion: all five answers worked out from the base rows in plain Python, with exact
fractions, of all rows or of those that a filter selects.  Nothing here reads what the database
derives.
"""
import copy
import json
from decimal import Decimal as Shortest
from fractions import Fraction

from harness import Decimal, expect, expect_equal

ERROR_SHOWN = 500               # characters of an error message in an answer

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
TIME_MAX = 253402300799999      # the end of the year 9999

LOG_STATUSES = ("scheduled", "pending", "processing", "retry", "success", "failed")
JOB_STATUSES = ("pending", "processing", "retry", "completed", "failed")
CAMPAIGN_STATUSES = ("draft", "active", "paused", "completed")
CAPACITY = 50                   # the default of PH_QUEUE_CAPACITY

# A platform as callers spell it, and where it belongs.
PLATFORMS = {
    "instagram": "instagram", "Instagram": "instagram", "  INSTAGRAM": "instagram",
    "tiktok": "tiktok", " TikTok ": "tiktok", "TIKTOK": "tiktok",
    "youtube": "youtube", "YouTube": "youtube", "YouTube   ": "youtube",
    "facebook": "facebook", " FaceBook": "facebook",
    "": "other", "   ": "other", "x": "other", "other": "other", "Other": "other",
    "ínstagram": "other", "tik tok": "other", "tiktok\n": "other", "'; DROP TABLE jobs; --": "other",
}
OWN_BUCKET = ("instagram", "tiktok", "youtube")     # in the platforms' answer; the others share one
# Params of a job, and the platform that counts it; None: no platform.
PARAMS = {
    None: None, "": None, "{bad": None, "[1]": None, "5": None, "null": None, '"tiktok"': None,
    "{}": None, '{"platform":null}': None, '{"platform":["tiktok"]}': None,
    '{"platform":{"platform":"tiktok"}}': None, '{"platform":7}': None, '{"platform":true}': None,
    '{"platform":""}': None, '{"platform":"   "}': None, '{"Platform":"tiktok"}': None,
    '{"x":{"platform":"tiktok"}}': None, "{'platform':'tiktok'}": None,
    '{"platform":"tiktok"': None,
    '{"platform":"tiktok"}': "tiktok", '{"platform":"TIKTOK "}': "tiktok",
    '{"platform":"tik\\u0074ok"}': "tiktok", '{"platform":" youtube "}': "youtube",
    '{"a":[1,{"b":2}],"platform":"Instagram","z":null}': "instagram",
    '{"platform":"instagram"}': "instagram", '{"platform":"facebook"}': "facebook",
    '{"platform":"x"}': "other", '{"platform":"other"}': "other", '{"platform":"\\ttiktok"}': "other",
    '{"platform":"' + "y" * 3000 + '"}': "other",
}


def rounded(value, places):
    """A fraction as an answer prints it: half away from zero, one decimal at least."""
    value = Fraction(value)
    units = abs(value) * 10**places
    whole = (2 * units.numerator + units.denominator) // (2 * units.denominator)
    digits = str(whole).rjust(places + 1, "0")
    text = digits[:-places] + "." + (digits[-places:].rstrip("0") or "0")
    return Decimal("-" + text if value < 0 and whole else text)


def ratio(part, whole, places=4):
    return rounded(Fraction(part, whole) if whole else 0, places)


def mean(values, places):
    """None for no values."""
    return rounded(Fraction(sum(values), len(values)), places) if values else None


def nearest_rank(values, percent):
    return sorted(values)[(len(values) * percent + 99) // 100 - 1] if values else None


def rows(db, table, columns):
    cursor = db.execute(f"SELECT {columns} FROM {table}")
    names = [c.strip() for c in columns.split(",")]
    return [dict(zip(names, values)) for values in cursor]


def plain(name):
    """A platform as the filter sees it: without spaces around it, ASCII letters small."""
    return "".join(c.lower() if c.isascii() else c for c in name.strip(" "))


def name_in(params):
    """The platform that the params of a job name; None: none."""
    try:
        name = json.loads(params or "")["platform"]
    except (ValueError, TypeError, KeyError):
        return None
    return plain(name) or None if isinstance(name, str) else None


class Filter:
    """since <= time < until and one of the names; None: anything."""

    def __init__(self, since=None, until=None, names=None):
        self.since, self.until = since, until
        self.names = names and [plain(n) for n in names]

    def has_time(self, at):
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def has_name(self, name):
        if self.names is None:
            return True
        return name is not None and (name in self.names or
                                     "other" in self.names and name not in OWN_BUCKET)


class Rows:
    """The base rows at one instant; nothing that the database derives."""

    def __init__(self, db):
        self.videos = rows(db, "video_assets", "id, created_at")
        self.clips = rows(db, "clips", "id, video_asset_id, visual_score, created_at")
        for clip in self.clips:
            score = clip["visual_score"]
            clip["score"] = None if score is None else Fraction(Shortest(repr(score)))
        self.scores = {c["id"]: c["score"] for c in self.clips if c["score"] is not None}
        self.jobs = rows(db, "jobs", "status, params, created_at")
        self.campaigns = rows(db, "campaigns", "clip_id, status, budget_cents, budget_spent_cents,"
                              "created_at")
        self.logs = rows(db, "publish_logs", "clip_id, platform, social_account_id, status, requested_at,"
                         "published_at, failed_at, created_at, updated_at, error_message")
        for entry in self.logs:
            entry["key"] = PLATFORMS[entry["platform"]]
        self.runs = rows(db, "orchestrator_runs", "started_at, actions")

    def selected(self, wanted, time_of_logs="requested_at"):
        """What a filter leaves: rows by their own time, platforms of clips by any log of theirs."""
        clips = {r["clip_id"] for r in self.logs if wanted.has_name(plain(r["platform"]))}
        videos = {c["video_asset_id"] for c in self.clips if c["id"] in clips}
        left = copy.copy(self)
        left.logs = [r for r in self.logs if wanted.has_time(r[time_of_logs]) and
                     wanted.has_name(plain(r["platform"]))]
        left.jobs = [r for r in self.jobs if wanted.has_time(r["created_at"]) and
                     wanted.has_name(name_in(r["params"]))]
        left.runs = [r for r in self.runs if wanted.has_time(r["started_at"])]
        for table, column, among in (("clips", "id", clips), ("videos", "id", videos),
                                     ("campaigns", "clip_id", clips)):
            setattr(left, table, [r for r in getattr(self, table) if wanted.has_time(r["created_at"]) and
                                  (wanted.names is None or r[column] in among)])
        return left

    def logs_in(self, *statuses):
        return [r for r in self.logs if r["status"] in statuses]

    def jobs_in(self, *statuses):
        return sum(r["status"] in statuses for r in self.jobs)

    def processing_times(self):
        return [r["published_at"] - r["requested_at"] for r in self.logs_in("success")
                if r["published_at"] is not None and r["published_at"] >= r["requested_at"]]

    def overview(self, _now, _tz):
        n = {s: len(self.logs_in(s)) for s in LOG_STATUSES}
        done = n["success"] + n["failed"]
        scores = [c["score"] for c in self.clips if c["score"] is not None]
        return {
            "total_videos": len(self.videos), "total_clips": len(self.clips),
            "total_jobs": len(self.jobs), "total_campaigns": len(self.campaigns),
            "pending_jobs": self.jobs_in("pending"), "processing_jobs": self.jobs_in("processing"),
            "failed_jobs": self.jobs_in("failed"),
            "success_logs": n["success"], "failed_logs": n["failed"],
            "scheduled_publications": n["pending"],
            "total_publications": len(self.logs), "pending_publications": n["pending"],
            "failed_publications": n["failed"], "scheduled_logs": n["scheduled"],
            "processing_logs": n["processing"], "retry_logs": n["retry"],
            "active_jobs": self.jobs_in("pending", "processing", "retry"),
            "completed_jobs": self.jobs_in("completed"), "retry_jobs": self.jobs_in("retry"),
            "active_campaigns": sum(c["status"] == "active" for c in self.campaigns),
            "success_rate": ratio(n["success"], done),
            "success_rate_pct": ratio(100 * n["success"], done, 1),
            "avg_visual_score": mean(scores, 4) or Decimal("0.0"),
            "avg_processing_time_ms": mean(self.processing_times(), 2),
        }

    def queue(self, now, _tz):
        n = {s: len(self.logs_in(s)) for s in LOG_STATUSES}
        pending = [r["requested_at"] for r in self.logs_in("pending")]
        waiting = [now - r["requested_at"] for r in self.logs_in("pending", "retry")]
        times = self.processing_times()
        finished = [r["published_at"] for r in self.logs_in("success")]
        finished += [r["failed_at"] for r in self.logs_in("failed")]
        throughput = sum(at is not None and now - HOUR <= at <= now for at in finished)
        done_at = None
        if waiting and throughput:
            done_at = now + int(Fraction(len(waiting) * HOUR, throughput) + Fraction(1, 2))
        return {
            "pending": n["pending"], "processing": n["processing"], "success": n["success"],
            "failed": n["failed"], "avg_processing_time_ms": mean(times, 2),
            "oldest_pending_age_seconds":
                rounded(Fraction(max(0, now - min(pending)), SECOND), 3) if pending else None,
            "scheduled": n["scheduled"], "retry": n["retry"],
            "total_in_queue": n["scheduled"] + n["pending"] + n["processing"] + n["retry"],
            "avg_wait_time_ms": mean(waiting, 2),
            "p50_processing_time_ms": nearest_rank(times, 50),
            "p95_processing_time_ms": nearest_rank(times, 95),
            "throughput_per_hour": throughput, "estimated_completion_time": done_at,
            "clock_skew_rows": sum(r["published_at"] is not None and
                                   r["published_at"] < r["requested_at"]
                                   for r in self.logs_in("success")),
            "missing_published_at_rows": sum(r["published_at"] is None
                                             for r in self.logs_in("success")),
        }

    def orchestrator(self, now, _tz):
        created = [r["created_at"] for r in self.logs]
        queued = len(self.logs_in("pending", "processing", "retry"))
        last = max(self.runs, key=lambda r: r["started_at"], default=None)
        return {
            "last_run_at": max(created, default=None),
            "actions_last_run": sum(at >= now - HOUR for at in created),
            "actions_last_24h": sum(at >= now - DAY for at in created),
            "queue_saturation": ratio(len(self.logs_in("pending", "processing")), len(self.logs)),
            "active_workers": len({r["social_account_id"] for r in self.logs_in("processing")} - {None}),
            "total_jobs": len(self.jobs), "pending_jobs": self.jobs_in("pending"),
            "processing_jobs": self.jobs_in("processing"),
            "completed_jobs": self.jobs_in("completed"), "failed_jobs": self.jobs_in("failed"),
            "retry_jobs": self.jobs_in("retry"),
            "saturation_rate": ratio(min(queued, CAPACITY), CAPACITY),
            "last_tick_at": last and last["started_at"],
            "actions_last_tick": last["actions"] if last else 0,
        }

    def platform(self, platform, now, tz):
        keys = ("other", "facebook") if platform == "other" else (platform,)
        logs = [r for r in self.logs if r["key"] in keys]
        jobs = [r for r in self.jobs if PARAMS[r["params"]] in keys]
        n = {s: sum(r["status"] == s for r in logs) for s in LOG_STATUSES}
        score = {r["clip_id"]: self.scores[r["clip_id"]] for r in logs if r["clip_id"] in self.scores}
        per_log = mean([score[r["clip_id"]] for r in logs if r["clip_id"] in score], 4)
        per_clip = mean(list(score.values()), 4)
        local = now + tz * MINUTE
        midnight = local - local % DAY - tz * MINUTE
        return {
            "clips_ready": len({r["clip_id"] for r in logs if r["status"] in ("pending", "scheduled")}),
            "clips_published": len({r["clip_id"] for r in logs if r["status"] == "success"}),
            "avg_score": per_log or Decimal("0.0"),
            "jobs_completed": sum(r["status"] == "completed" for r in jobs),
            "jobs_failed": sum(r["status"] == "failed" for r in jobs),
            "platform": platform, "posts_published": n["success"],
            "posts_pending": n["pending"] + n["scheduled"] + n["retry"],
            "posts_today": sum(r["status"] == "success" and r["published_at"] is not None and
                               r["published_at"] >= midnight for r in logs),
            "success_rate": ratio(n["success"], n["success"] + n["failed"]),
            "avg_clip_score": per_clip or Decimal("0.0"),
            "avg_visual_score": per_log or Decimal("0.0"),
            "last_failure": self.last_failure(logs),
        }

    @staticmethod
    def last_failure(logs):
        """When, and the messages of all logs that failed at that instant."""
        failed = [(r["updated_at"] if r["failed_at"] is None else r["failed_at"],
                   r["error_message"] and r["error_message"][:ERROR_SHOWN])
                  for r in logs if r["status"] == "failed"]
        if not failed:
            return None
        latest = max(at for at, _ in failed)
        return latest, {error for at, error in failed if at == latest}

    def platforms(self, now, tz):
        return {p: self.platform(p, now, tz)
                for p in ("instagram", "tiktok", "youtube", "other", "facebook")}

    def campaigns_answer(self, _now, _tz):
        n = {s: sum(c["status"] == s for c in self.campaigns) for s in CAMPAIGN_STATUSES}
        published = {r["clip_id"] for r in self.logs_in("success")}
        open_ = {r["clip_id"] for r in self.logs_in("scheduled", "pending", "retry", "processing")}
        live = [c["clip_id"] for c in self.campaigns if c["status"] in ("active", "paused")]
        spent = sum(c["budget_spent_cents"] for c in self.campaigns)
        budget = sum(c["budget_cents"] for c in self.campaigns)
        return {
            **n, "total_budget_spent": rounded(Fraction(spent, 100), 2),
            "total": len(self.campaigns), "archived": n["completed"],
            "published": sum(clip in published for clip in live),
            "scheduled": sum(clip in open_ - published for clip in live),
            "total_budget": rounded(Fraction(budget, 100), 2),
            "budget_utilisation": ratio(spent, budget),
        }


def answers(base):
    """What the five programs must say of these rows: name, function of the clock and tz_offset."""
    return {"overview": base.overview, "queue": base.queue, "orchestrator": base.orchestrator,
            "platforms": base.platforms, "campaigns": base.campaigns_answer}


def compare(seen, want, where):
    expect_equal(list(seen), list(want), f"{where}: the fields")
    for name, value in want.items():
        if name == "last_failure" and value is not None:
            at, errors = value
            expect_equal(seen[name]["at"], at, f"{where}.{name}.at")
            expect(seen[name]["error"] in errors, f"{where}.{name}.error {seen[name]['error']!r}")
        elif isinstance(value, dict):
            compare(seen[name], value, f"{where}.{name}")
        else:
            expect_equal(seen[name], value, f"{where}.{name}")
