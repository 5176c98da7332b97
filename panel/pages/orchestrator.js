/* orchestrator.js -- the loop that feeds the queue: how full, how busy, what it did. */
import { get, query } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { duration, instant, number, percent } from '../format.js';
import { follow } from '../live.js';
import { badge, card, cards, files, section, table } from '../parts.js';

const PATH = '/dashboard/stats/orchestrator';

export function show(root, ctx) {
	const c = {
		status: card({ title: 'Status' }),
		saturation: card({ title: 'Saturation', of: [PATH, 'saturation_rate'] }),
		jobs: card({ title: 'Jobs', of: [PATH, 'total_jobs'] }),
		pending: card({ title: 'Pending jobs', of: [PATH, 'pending_jobs'] }),
		processing: card({ title: 'Jobs in processing', of: [PATH, 'processing_jobs'] }),
		day: card({ title: 'Posts made in 24 hours', of: [PATH, 'actions_last_24h'] }),
	};

	const sections = [
		section('Events of the last 7 days', () => get('/dashboard/stats/event-types', { days_back: 7 }), ({ types }) => (types.length === 0 ? null :
			chart({ title: 'Events by type', kind: 'bar', labels: types.map((t) => t.event_type), series: [{ name: 'Events', values: types.map((t) => t.count) }] }))),
		section('Runs', () => get('/dashboard/orchestrator/runs', { limit: 20 }), ({ items }) => (items.length === 0 ? null : table('The last 20 runs', [
			{ title: 'Started', cell: (r) => instant(r.started_at) }, { title: 'By', cell: (r) => r.trigger },
			{ title: 'Took', isNumber: true, cell: (r) => duration(r.duration_ms) },
			{ title: 'Actions', isNumber: true, cell: (r) => number(r.actions) },
			{ title: 'Failed', isNumber: true, cell: (r) => (r.failed > 0 ? badge(number(r.failed), 'bad') : '0') },
		], items)), { tools: ctx.may('dashboard:export') ? files('runs', '') : [] }),
		section('Ledger', () => get('/dashboard/ledger', { limit: 20 }), ({ items }) => (items.length === 0 ? null : table('The last 20 events', [
			{ title: 'When', cell: (e) => instant(e.timestamp) }, { title: 'Event', cell: (e) => e.event_type },
			{ title: 'Severity', cell: (e) => badge(e.severity) }, { title: 'About', cell: (e) => e.entity_id },
		], items)), { tools: ctx.may('dashboard:export') ? files('ledger', query({ days_back: 7 })) : [] }),
	];

	root.append(cards(...Object.values(c)), ...sections);
	return follow(['orchestrator'], (topic, o) => {
		const [word, kind] = o.saturation_rate < 0.7 ? ['Online', 'ok'] : o.saturation_rate < 0.9 ? ['Busy', 'warn'] : ['Full', 'bad'];

		c.status.set(badge(word, kind));
		c.status.note('last run ', instant(o.last_tick_at));
		c.saturation.set(percent(o.saturation_rate), kind);
		c.jobs.set(number(o.total_jobs));
		c.jobs.note(`${number(o.completed_jobs)} completed, ${number(o.failed_jobs)} failed`);
		c.pending.set(number(o.pending_jobs));
		c.processing.set(number(o.processing_jobs));
		c.day.set(number(o.actions_last_24h));
	}, ctx.showState, sections);
}
