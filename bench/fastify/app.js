// The queue and overview statistics as one would write them with Fastify and better-sqlite3.
// /direct/... counts the base tables, /counters/... reads the counter tables.
'use strict';
const cluster = require('node:cluster');
const fs = require('node:fs');
const Database = require('better-sqlite3');
const fastify = require('fastify');

const { BENCH_DB, BENCH_PORT, BENCH_STATEMENTS, BENCH_WORKERS } = process.env;

const integer = { type: 'integer' };
const schemaOf = (names, more) => ({
	response: { 200: { type: 'object', properties: {
		...Object.fromEntries(names.map((name) => [name, integer])), ...more } } },
});
const queueSchema = schemaOf(['pending', 'processing', 'success', 'failed'], {
	avg_processing_time_ms: { type: ['number', 'null'] },
	oldest_pending_age_seconds: { type: ['number', 'null'] },
});
const overviewSchema = schemaOf(['total_videos', 'total_clips', 'total_jobs', 'total_campaigns',
	'pending_jobs', 'processing_jobs', 'failed_jobs', 'success_logs', 'failed_logs',
	'scheduled_publications']);

const round = (x, factor) => Math.round(x * factor) / factor;
const byStatus = (statement) =>
	Object.fromEntries(statement.all().map((row) => [row.status, row.n]));

function serve() {
	const db = new Database(BENCH_DB, { readonly: true });
	const app = fastify();

	for (const [kind, texts] of Object.entries(JSON.parse(fs.readFileSync(BENCH_STATEMENTS)))) {
		const sql = Object.fromEntries(
			Object.entries(texts).map(([name, text]) => [name, db.prepare(text)]));

		app.get(`/${kind}/queue`, { schema: queueSchema }, async () => {
			const logs = byStatus(sql.logs);
			const { ms } = sql.processing.get();
			const { at } = sql.oldest.get();
			return {
				pending: logs.pending ?? 0,
				processing: logs.processing ?? 0,
				success: logs.success ?? 0,
				failed: logs.failed ?? 0,
				avg_processing_time_ms: ms === null ? null : round(ms, 100),
				oldest_pending_age_seconds: at === null ? null :
					Math.max(0, Date.now() - at) / 1000,
			};
		});
		app.get(`/${kind}/overview`, { schema: overviewSchema }, async () => {
			const totals = sql.totals.get();
			const jobs = byStatus(sql.jobs);
			const logs = byStatus(sql.logs);
			return {
				total_videos: totals.videos,
				total_clips: totals.clips,
				total_jobs: Object.values(jobs).reduce((a, b) => a + b, 0),
				total_campaigns: totals.campaigns,
				pending_jobs: jobs.pending ?? 0,
				processing_jobs: jobs.processing ?? 0,
				failed_jobs: jobs.failed ?? 0,
				success_logs: logs.success ?? 0,
				failed_logs: logs.failed ?? 0,
				scheduled_publications: logs.pending ?? 0,
			};
		});
	}
	app.listen({ host: '127.0.0.1', port: Number(BENCH_PORT) });
}

if (cluster.isPrimary)
	for (let i = 0; i < Number(BENCH_WORKERS); i++)
		cluster.fork();
else
	serve();
