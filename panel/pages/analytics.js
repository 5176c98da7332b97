/* analytics.js -- what happened over time, at which hours, how figures spread; and the best clips. */
import { get, query } from '../api.js';
import { chart, heatmap } from '../charts.js';
import { el } from '../dom.js';
import { duration, instant, number, score, sumOf } from '../format.js';
import { choice, daysChoice, files, platformChoice, section, table, trend } from '../parts.js';

const EVENTS = [['events.published', 'Published'], ['events.failed', 'Failed'], ['events.requested', 'Requested'], ['events.retried', 'Tried again'],
	['events.jobs_completed', 'Jobs completed'], ['events.clips_created', 'Clips made'], ['events.orchestrator_events', 'Orchestrator events']];
const WEEK = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const HOURS = Array.from({ length: 24 }, (_, h) => String(h));
/* Those that know platforms: the others are counted for all of them. */
const HAS_PLATFORM = new Set(EVENTS.slice(0, 5).map(([name]) => name));
const IS_MORE_BETTER = { 'events.failed': false, 'events.retried': false, 'events.orchestrator_events': null };
const DAYS_MAX = 365;		/* that can be asked for at once */
const zone = -new Date().getTimezoneOffset();

export function show(root, given) {
	const ctx = { ...given, params: { ...given.params, metric: given.params.metric || 'events.published', days: given.params.days || '30' } };
	const { metric, days } = ctx.params;
	const platform = HAS_PLATFORM.has(metric) ? ctx.params.platform : '';
	const name = EVENTS.find(([m]) => m === metric)?.[1] ?? metric;
	const step = days <= 2 ? '1h' : '1d';
	const hasBefore = 2 * days <= DAYS_MAX;
	const timeline = { metric, platform, days_back: days, step, tz_offset: zone };
	const week = { metric, platform, days_back: days, tz_offset: zone };
	const save = (dataset, params) => (ctx.may('dashboard:export') ? files(dataset, query(params)) : []);
	const at = (ms) => new Date(ms).toLocaleString(undefined, step === '1h' ? { weekday: 'short', hour: '2-digit', minute: '2-digit' } : { dateStyle: 'medium' });

	root.append(
		section(`${name} over time`, () => get('/dashboard/stats/history', { ...timeline, days_back: hasBefore ? 2 * days : days }), ({ series: [s] }) => {
			const middle = hasBefore ? s.points.length - Math.floor(s.points.length / 2) : 0;
			const points = s.points.slice(middle), sum = sumOf(points);

			return [el('p', {}, el('strong', {}, number(sum)), ` in ${days} days. `, hasBefore && trend(sum, sumOf(s.points.slice(0, middle)),
				metric in IS_MORE_BETTER ? IS_MORE_BETTER[metric] : true, `${days} days`)),
			chart({ title: `${name} over time`, kind: 'line', labels: points.map(([ms]) => at(ms)),
				series: [{ name, values: points.map(([, v]) => v), colour: metric === 'events.failed' ? '--c4' : '--c1' }] })];
		},
		{ tools: [choice('What', 'metric', EVENTS, ctx), platformChoice(ctx), daysChoice(ctx, [1, 7, 30, 90, 365]), ...save('stats-history', timeline)] }),
		section(`${name} by hour of the week`, () => get('/dashboard/stats/heatmap', week), ({ cells }) =>
			heatmap({ title: `${name} by weekday and hour`, rows: WEEK, columns: HOURS, cells }), { tools: save('stats-heatmap', week) }),
		...[['clip_score', 'Scores of clips', score], ['clip_duration', 'Lengths of clips', duration], ['processing_time', 'Processing times', duration]].map(([of, title, format]) =>
			section(title, () => get('/dashboard/stats/distribution', { of, bins: 10 }), ({ bins, counts, total }) => (total === 0 ? null :
				chart({ title, kind: 'bar', labels: counts.map((_, i) => `${format(bins[i])} to ${format(bins[i + 1])}`), series: [{ name: 'How many', values: counts }] })),
			{ tools: save('stats-distribution', { of, bins: 10 }) })),
		section('The best clips', () => get('/dashboard/clips', { sort: '-visual_score', limit: 10 }), ({ items }) => (items.length === 0 ? null : table('The best clips', [
			{ title: 'Video', cell: (c) => c.video_title ?? c.id }, { title: 'Score', isNumber: true, cell: (c) => score(c.visual_score) },
			{ title: 'Length', isNumber: true, cell: (c) => duration(c.duration_ms) }, { title: 'Status', cell: (c) => c.status },
			{ title: 'Made', cell: (c) => instant(c.created_at) }, { title: 'Posts', isNumber: true, cell: (c) => number(c.publication_count) },
		], items))));
	return null;
}
