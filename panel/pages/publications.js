/* publications.js -- every post: found by what it is and when, seen with its history, retried in bulk. */
import { get } from '../api.js';
import { act } from '../act.js';
import { el } from '../dom.js';
import { NONE, duration, instant, number } from '../format.js';
import { list } from '../list.js';
import { badge, choice, platformChoice, section, table } from '../parts.js';

const STATUSES = ['', 'pending', 'scheduled', 'processing', 'retry', 'success', 'failed'].map((s) => [s, s || 'All']);
const DAYS = ['', 1, 7, 30, 90];

function one(root, ctx) {
	root.append(el('p', {}, el('a', { href: ctx.to('publications', { ...ctx.params, id: '' }) }, '← All publications')),
		section('Post', () => get(`/dashboard/publications/${encodeURIComponent(ctx.params.id)}`), (p) => [
			el('dl', { className: 'facts' }, Object.entries(p).filter(([, v]) => v === null || typeof v !== 'object').map(([k, v]) => [
				el('dt', {}, k.replaceAll('_', ' ')),
				el('dd', {}, k === 'status' ? badge(v) : /_at$|_for$/.test(k) ? instant(v) : v === null ? NONE : String(v))])),
			...Object.entries(p).filter(([, v]) => Array.isArray(v) && v.length > 0).map(([k, rows]) => [
				el('h3', {}, k.replaceAll('_', ' ')),
				table(k, Object.keys(rows[0]).filter((name) => rows[0][name] === null || typeof rows[0][name] !== 'object').map((name) => ({
					title: name.replaceAll('_', ' '), cell: (r) => (/_at$|timestamp/.test(name) ? instant(r[name]) : r[name] === null ? NONE : String(r[name])) })), rows)]).flat(),
			p.status === 'failed' && ctx.may('actions:run') && el('button', { type: 'button', className: 'main',
				onclick: () => act('retry-failed', { ids: [p.id] }, 'Retry this post', ctx.again) }, 'Retry'),
		]));
}

export function show(root, ctx) {
	const { id, status, platform, days, q } = ctx.params;

	if (id)
		return one(root, ctx);
	const filter = { status, platform, days_back: days, q };
	const search = el('input', { type: 'search', id: 'search', value: q ?? '', placeholder: 'Clip, video, error …' });
	const find = el('form', { className: 'choice', role: 'search' }, el('label', { htmlFor: 'search' }, 'Search'), search);
	const bulk = status === 'failed' && ctx.may('actions:run') ? [el('button', { type: 'button', className: 'main', onclick: () =>
		act('retry-failed', { ...(platform ? { platform } : {}), ...(days ? { days_back: Number(days) } : {}) }, 'Retry failed posts', ctx.again) }, 'Retry these …')] : [];

	find.addEventListener('submit', (event) => {
		event.preventDefault();
		ctx.go({ q: search.value.trim() });
	});
	root.append(el('div', { className: 'choices' }, choice('Status', 'status', STATUSES, ctx), platformChoice(ctx),
		choice('Requested in the last', 'days', DAYS.map((d) => [String(d), d ? `${d} days` : 'All time']), ctx), find),
	list(ctx, {
		title: 'Posts', path: '/dashboard/publications', dataset: 'publications', filter, tools: bulk, empty: 'No post is like that.',
		columns: [
			{ title: 'Video', cell: (p) => el('a', { href: ctx.to('publications', { ...ctx.params, id: p.id }) }, p.video_title ?? p.clip_id) },
			{ title: 'Platform', cell: (p) => p.platform },
			{ title: 'Status', cell: (p) => badge(p.status) },
			{ title: 'Requested', cell: (p) => instant(p.requested_at) },
			{ title: 'Published', cell: (p) => instant(p.published_at) },
			{ title: 'Took', isNumber: true, cell: (p) => duration(p.processing_time_ms) },
			{ title: 'Tries', isNumber: true, cell: (p) => `${number(p.retry_count)} of ${number(p.max_retries)}` },
			{ title: 'Error', cell: (p) => p.error_message ?? NONE },
		],
	}));
	return null;
}
