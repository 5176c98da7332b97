/* analysis.js -- how things stand by the rules of the analysis, the best clips, and how it was. */
import { act } from '../act.js';
import { get } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { NONE, duration, instant, number, percent, score } from '../format.js';
import { badge, button, card, cards, choice, section, table } from '../parts.js';

const PATH = '/dashboard/ai/analyze';
const STATUSES = [['', 'All'], ['good', 'Good'], ['warning', 'Warning'], ['critical', 'Critical']];
const HISTORY = 20;

export function show(root, ctx) {
	const c = {
		queue: card({ title: 'Queue', of: [PATH, 'queue_health'] }),
		orchestrator: card({ title: 'Orchestrator', of: [PATH, 'orchestrator_health'] }),
		campaigns: card({ title: 'Campaigns', of: [PATH, 'campaigns_status'] }),
		success: card({ title: 'Success rate', of: [PATH, 'publish_success_rate'] }),
		clips: card({ title: 'Clips ready', of: [PATH, 'total_clips_ready'] }),
		time: card({ title: 'Mean processing time', of: [PATH, 'avg_processing_time_ms'] }),
		failed: card({ title: 'Failed', of: [PATH, 'failed_rate'] }),
	};
	const now = section('Now', () => get(PATH), (a) => {
		c.queue.set(badge(a.queue_health));
		c.orchestrator.set(badge(a.orchestrator_health));
		c.campaigns.set(badge(a.campaigns_status));
		c.success.set(percent(a.publish_success_rate));
		c.clips.set(number(a.metrics.total_clips_ready));
		c.time.set(duration(a.metrics.avg_processing_time_ms));
		c.failed.set(percent(a.metrics.failed_rate));
		const best = Object.entries(a.best_clip_per_platform).filter(([, b]) => b !== null), posts = Object.entries(a.metrics.platform_distribution);

		return [
			a.issues_detected.length === 0 ? el('p', {}, 'No issues.') :
				el('ul', {}, a.issues_detected.map((i) => el('li', {}, badge(i.severity), ` ${i.title}: ${i.description}`))),
			posts.length > 0 && chart({ title: 'Published by platform', kind: 'doughnut', labels: posts.map(([name]) => name),
				series: [{ name: 'Published', values: posts.map(([, n]) => n) }] }),
			best.length > 0 && table('The best clip of each platform', [
				{ title: 'Platform', cell: ([name]) => name }, { title: 'Clip', cell: ([, b]) => b.clip_id },
				{ title: 'Score', isNumber: true, cell: ([, b]) => score(b.score) },
				{ title: 'Length', isNumber: true, cell: ([, b]) => (b.duration === null ? NONE : duration(1000 * b.duration)) },
				{ title: 'Made', cell: ([, b]) => instant(b.created_at) }], best),
		];
	});
	const before = section('Before', () => get('/dashboard/ai/history', { limit: HISTORY, status: ctx.params.status }), ({ items, total }) => (items.length === 0 ? null : [
		table('Reports', [
			{ title: 'When', cell: (r) => instant(r.created_at) }, { title: 'Status', cell: (r) => badge(r.status) },
			{ title: 'Success rate', isNumber: true, cell: (r) => percent(r.score) }, { title: 'Issues', isNumber: true, cell: (r) => number(r.issues) },
		], items), total > items.length && el('p', { className: 'note' }, `The last ${items.length} of ${number(total)}.`)]), {
		empty: 'No report was made yet.',
		tools: [choice('Status', 'status', STATUSES, ctx),
			...(ctx.may('actions:run') ? [button('Make a report', () => act('generate-report', {}, 'Make a report', () => before.reload()))] : [])] });

	root.append(cards(...Object.values(c)), now, before);
	return null;
}
