"""The queue and overview statistics as one would write them with FastAPI and SQLAlchemy.
/direct/... counts the base tables, /counters/... reads the counter tables."""
import json
import os
import time
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

POOL = 40       # as many as the threads that run the handlers

STATEMENTS = {kind: {name: text(sql) for name, sql in of_kind.items()} for kind, of_kind in
              json.loads((Path(__file__).parent.parent / "statements.json").read_text()).items()}

engine = create_engine(f"sqlite:///file:{os.environ['BENCH_DB']}?mode=ro&uri=true",
                       connect_args={"check_same_thread": False}, poolclass=QueuePool, pool_size=POOL)
app = FastAPI()


def by_status(db, sql):
    return {row.status: row.n for row in db.execute(sql)}


@app.get("/{kind}/queue")
def queue(kind: str):
    sql = STATEMENTS[kind]
    with engine.connect() as db:
        logs = by_status(db, sql["logs"])
        processing = db.execute(sql["processing"]).scalar()
        oldest = db.execute(sql["oldest"]).scalar()
    return {
        "pending": logs.get("pending", 0),
        "processing": logs.get("processing", 0),
        "success": logs.get("success", 0),
        "failed": logs.get("failed", 0),
        "avg_processing_time_ms": None if processing is None else round(processing, 2),
        "oldest_pending_age_seconds": None if oldest is None else
            round(max(0.0, time.time() - oldest / 1000), 3),
    }


@app.get("/{kind}/overview")
def overview(kind: str):
    sql = STATEMENTS[kind]
    with engine.connect() as db:
        totals = db.execute(sql["totals"]).one()
        jobs = by_status(db, sql["jobs"])
        logs = by_status(db, sql["logs"])
    return {
        "total_videos": totals.videos,
        "total_clips": totals.clips,
        "total_jobs": sum(jobs.values()),
        "total_campaigns": totals.campaigns,
        "pending_jobs": jobs.get("pending", 0),
        "processing_jobs": jobs.get("processing", 0),
        "failed_jobs": jobs.get("failed", 0),
        "success_logs": logs.get("success", 0),
        "failed_logs": logs.get("failed", 0),
        "scheduled_publications": logs.get("pending", 0),
    }
