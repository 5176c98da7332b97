/* queue.js -- what waits, how long, and what to do about it. */
import { get, query } from '../api.js';
import { el } from '../dom.js';
import { NONE, duration, instant, number, sumOf } from '../format.js';
import { follow } from '../live.js';
import { ask, badge, button, card, cards, choice, files, platformChoice, section, table, trend } from '../parts.js';
import { act } from '../act.js';

const QUEUE = '/dashboard/stats/queue';
const HOUR_MS = 3600000;
const STATUSES = [['', 'Waiting'], ['processing', 'In processing'], ['failed', 'Failed'], ['retry', 'To be tried again']];

/* Another time for a post that waits, in the viewer's zone. */
async function reschedule(p, then) {
	const v = await ask(`Post ${p.video_title ?? p.clip_id} on ${p.platform} at`, [['at', 'When', el('input', { type: 'datetime-local', required: true })]], 'Preview');

	if (v !== null)
		act('reschedule', { log_id: p.id, new_time: new Date(v.at).toISOString() }, 'Reschedule', then);
}

export function show(root, ctx) {
	const c = {
		total: card({ title: 'In the queue', of: [QUEUE, 'total_in_queue'] }),
		pending: card({ title: 'Pending', of: [QUEUE, 'pending'] }),
		oldest: card({ title: 'Oldest waiting post', of: [QUEUE, 'oldest_pending_age_seconds'] }),
		scheduled: card({ title: 'Scheduled', of: [QUEUE, 'scheduled'] }),
		processing: card({ title: 'In processing', of: [QUEUE, 'processing'] }),
		wait: card({ title: 'Mean wait', of: [QUEUE, 'avg_wait_time_ms'] }),
		speed: card({ title: 'Finished in the last hour', of: [QUEUE, 'throughput_per_hour'] }),
		end: card({ title: 'Empty at about', of: [QUEUE, 'estimated_completion_time'] }),
	};
	const filter = { status: ctx.params.status || 'pending,scheduled', platform: ctx.params.platform, limit: 50,
		sort: ctx.params.status === 'failed' ? '-requested_at' : 'requested_at' };
	const rows = section('Posts', () => get('/dashboard/publications', filter), ({ items, total }) => [
		items.length === 0 ? el('p', { className: 'empty' }, 'No such posts.') : table('Posts', [
			{ title: 'Clip', cell: (p) => el('a', { href: ctx.to('publications', { id: p.id }) }, p.video_title ?? p.clip_id) },
			{ title: 'Platform', cell: (p) => p.platform },
			{ title: 'Status', cell: (p) => badge(p.status) },
			{ title: 'Scheduled for', cell: (p) => instant(p.scheduled_for) },
			{ title: 'Requested', cell: (p) => instant(p.requested_at) },
			{ title: 'Age', isNumber: true, cell: (p) => duration(1000 * p.age_seconds) },
			{ title: 'Error', cell: (p) => p.error_message ?? NONE },
			...(ctx.may('actions:run') ? [{ title: 'Action', cell: (p) => el('div', { className: 'buttons' }, p.status === 'failed' ?
				button('Retry', () => act('retry-failed', { ids: [p.id] }, 'Retry this post', rows.reload)) :
				p.status !== 'processing' && button('Reschedule', () => reschedule(p, rows.reload))) }] : []),
		], items),
		total > items.length && el('p', { className: 'note' }, `The first ${items.length} of ${number(total)}. `,
			el('a', { href: ctx.to('publications', { status: filter.status, platform: filter.platform }) }, 'All of them')),
	], { tools: [choice('Show', 'status', STATUSES, ctx), platformChoice(ctx),
		...(ctx.may('dashboard:export') ? files('publications', query({ status: filter.status, platform: filter.platform })) : [])] });

	/* How many were published in the last hour and in the one before, to the minute. */
	const hours = { refresh: async () => {
		const { series: [{ points }] } = await get('/dashboard/stats/history', { metric: 'events.published', step: '60s',
			from: new Date(Date.now() - 2 * HOUR_MS).toISOString() });

		c.speed.note(trend(sumOf(points.slice(-60)), sumOf(points.slice(-120, -60)), true, 'hour'));
	} };

	root.append(cards(...Object.values(c)), rows);
	hours.refresh().catch(() => {});		/* the figure itself says what is wrong */
	return follow(['queue'], (topic, q) => {
		c.total.set(number(q.total_in_queue));
		c.pending.set(number(q.pending));
		c.oldest.set(q.pending > 0 ? duration(1000 * q.oldest_pending_age_seconds) : 'none', q.oldest_pending_age_seconds > 7200 ? 'bad' : '');
		c.scheduled.set(number(q.scheduled));
		c.processing.set(number(q.processing));
		c.wait.set(duration(q.avg_wait_time_ms));
		c.speed.set(number(q.throughput_per_hour));
		c.wait.note(`half of all take ${duration(q.p50_processing_time_ms)}, 95 % less than ${duration(q.p95_processing_time_ms)}`);
		c.end.set(q.total_in_queue === 0 ? 'empty now' : instant(q.estimated_completion_time));
	}, ctx.showState, [rows, hours]);
}
