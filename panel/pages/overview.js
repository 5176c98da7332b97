/* overview.js -- the state of everything on one page, as it changes. */
import { get } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { compact, dayOf, duration, number, percent, score, sumOf } from '../format.js';
import { follow } from '../live.js';
import { badge, card, cards, section, trend } from '../parts.js';

const OVERVIEW = '/dashboard/stats/overview', QUEUE = '/dashboard/stats/queue';

/* Sums of a series over its last seven days and the seven before. */
const weeks = (points) => [sumOf(points.slice(-7)), sumOf(points.slice(-14, -7))];

export function show(root, ctx) {
	const c = {
		videos: card({ title: 'Videos', of: [OVERVIEW, 'total_videos'] }),
		clips: card({ title: 'Clips', of: [OVERVIEW, 'total_clips'] }),
		publications: card({ title: 'Publications', of: [OVERVIEW, 'total_publications'] }),
		success: card({ title: 'Success rate', of: [OVERVIEW, 'success_rate'] }),
		failures: card({ title: 'Failed in 7 days', of: [OVERVIEW, 'failed_publications'] }),
		waiting: card({ title: 'Waiting', of: [QUEUE, 'pending'] }),
		oldest: card({ title: 'Oldest waiting post', of: [QUEUE, 'oldest_pending_age_seconds'] }),
		jobs: card({ title: 'Active jobs', of: [OVERVIEW, 'active_jobs'] }),
		campaigns: card({ title: 'Active campaigns', of: [OVERVIEW, 'active_campaigns'] }),
	};
	const health = section('Health', () => get('/dashboard/ai/analyze'), (a) => [
		el('p', { className: 'line' }, 'Queue ', badge(a.queue_health), ' Orchestrator ', badge(a.orchestrator_health), ' Campaigns ', badge(a.campaigns_status)),
		a.issues_detected.length === 0 ? el('p', {}, 'No issues.') :
			el('ul', {}, a.issues_detected.map((i) => el('li', {}, badge(i.severity), ` ${i.title}: ${i.description}`))),
	]);
	const week = section('The last 14 days', () => get('/dashboard/stats/history', { metric: 'events.requested,events.published,events.failed', days_back: 14, step: '1d' }),
		({ series }) => {
			const [requested, published, failed] = series.map((s) => s.points.slice(-14));

			c.publications.note(trend(...weeks(published), true, '7 days'));
			c.failures.set(number(weeks(failed)[0]));
			c.failures.note(trend(...weeks(failed), false, '7 days'));
			return chart({ title: 'Publications a day', kind: 'line', labels: requested.map(([at]) => dayOf(at)), series: [
				{ name: 'Requested', values: requested.map(([, v]) => v), colour: '--c1' },
				{ name: 'Published', values: published.map(([, v]) => v), colour: '--c2' },
				{ name: 'Failed', values: failed.map(([, v]) => v), colour: '--c4' }] });
		});
	const now = {
		day: card({ title: 'Scheduled today' }), hour: card({ title: 'In the next hour' }), overdue: card({ title: 'Overdue' }),
		delay: card({ title: 'Mean delay of these' }), acted: card({ title: 'Decisions in the last minute' }),
		workers: card({ title: 'Accounts at work' }), ready: card({ title: 'Variants ready' }),
	};
	const status = el('div', { className: 'half' }), jobs = el('div', { className: 'half' });
	let drawn = '';

	function showOverview(o) {
		c.videos.set(compact(o.total_videos));
		c.clips.set(compact(o.total_clips));
		c.clips.note(`mean score ${score(o.avg_visual_score)}`);
		c.publications.set(compact(o.total_publications));
		c.success.set(percent(o.success_rate), o.success_rate >= 0.8 ? 'ok' : o.success_rate >= 0.5 ? 'warn' : 'bad');
		c.success.note(`${number(o.failed_publications)} failed in all`);
		c.jobs.set(number(o.active_jobs));
		c.jobs.note(`${number(o.pending_jobs)} pending, ${number(o.failed_jobs)} failed`);
		c.campaigns.set(number(o.active_campaigns));
		c.campaigns.note(`of ${number(o.total_campaigns)}`);

		const figures = [o.success_logs, o.pending_publications, o.failed_publications, o.pending_jobs, o.processing_jobs, o.completed_jobs];

		if (drawn === figures.join())
			return;
		drawn = figures.join();
		status.replaceChildren(el('h2', {}, 'Publications by status'), chart({ title: 'Publications by status', kind: 'doughnut', labels: ['Success', 'Pending', 'Failed'],
			series: [{ name: 'Publications', values: figures.slice(0, 3), colours: ['--c2', '--c3', '--c4'] }] }));
		jobs.replaceChildren(el('h2', {}, 'Jobs'), chart({ title: 'Jobs', kind: 'bar', labels: ['Pending', 'Processing', 'Completed'],
			series: [{ name: 'Jobs', values: figures.slice(3) }] }));
	}

	function showQueue(q) {
		c.waiting.set(number(q.pending));
		c.waiting.note(`mean processing time ${duration(q.avg_processing_time_ms)}`);
		c.oldest.set(q.pending > 0 ? duration(1000 * q.oldest_pending_age_seconds) : 'none', q.oldest_pending_age_seconds > 7200 ? 'bad' : '');
		c.oldest.note(el('a', { href: ctx.to('queue') }, 'Which ones?'));
	}

	function showTelemetry({ scheduler, orchestrator, workers, platforms }) {
		now.day.set(number(scheduler.scheduled_today));
		now.hour.set(number(scheduler.scheduled_next_hour));
		now.overdue.set(number(scheduler.overdue), scheduler.overdue > 0 ? 'warn' : 'ok');
		now.delay.set(scheduler.avg_delay_seconds === null ? 'none' : duration(1000 * scheduler.avg_delay_seconds));
		now.acted.set(number(orchestrator.actions_last_minute));
		now.acted.note(orchestrator.last_run_seconds_ago === null ? 'never ran' : `last run ${duration(1000 * orchestrator.last_run_seconds_ago)} ago`);
		now.workers.set(number(workers.active_workers));
		now.workers.note(`${number(workers.tasks_processing)} posts in processing`);
		now.ready.set(number(Object.values(platforms).reduce((n, v) => n + v, 0)));
		now.ready.note(Object.entries(platforms).map(([name, n]) => `${name} ${number(n)}`).join(', '));
	}

	const show = { overview: showOverview, queue: showQueue, telemetry: showTelemetry };

	root.append(cards(...Object.values(c)), el('h2', { className: 'apart' }, 'Right now'), cards(...Object.values(now)), health, week, el('div', { className: 'halves' }, status, jobs));
	return follow(['overview', 'queue', 'telemetry'], (topic, data) => show[topic](data), (state, at) => {
		if (state === 'polling' || state === 'offline')		/* telemetry comes by the stream alone */
			Object.values(now).forEach((x) => x.set(null));
		ctx.showState(state, at);
	}, [health, week]);
}
