/* product-votes.js -- what votes are like, when they are and with which cards; and rooms, each with its votes. */
import { get } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { NONE, instant, number, score } from '../format.js';
import { card, cards, choice, input, section, share, table } from '../parts.js';
import { EMPTY, begin, minutes, part } from './product.js';

const WEEK = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const SORTS = [['votes', 'Most votes'], ['last_used_at', 'Used last']];
const ROOMS = 50, CARD_MAX = 21;

/* Whole seconds as m:ss. */
const clock = (s) => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
const nameOf = (r) => (r.name?.trim() ? r.name : `${r.name === null ? 'Unknown room' : 'Room'} ${r.room_id}`);

/* What all votes have in the mean. */
function means() {
	const of = (title, name, text = number) => ({ name, text, card: card({ title, of: ['/', name] }) });
	const all = [
		of('Votes', 'total_votes'), of('Estimations', 'total_estimations'), of('Estimations a vote', 'avg_estimations_per_vote'),
		of('Spectators a vote', 'avg_spectators_per_vote'), of('Lowest estimation', 'avg_min_estimation', score), of('Average estimation', 'avg_estimation', score),
		of('Highest estimation', 'avg_max_estimation', score),
		of('Duration', 'avg_duration_per_vote', minutes),
	];
	const whole = cards(...all.map((f) => f.card));

	return section('All votes', async () => {
		const { data: { votes }, data_updated_at: updated } = await get('/');

		return updated === null && votes.total_votes === 0 ? null : votes;
	}, (votes) => {
		for (const f of all)
			f.card.set(f.text(votes.total_votes > 0 || f.name.startsWith('total') ? votes[f.name] : null));
		return whole;
	}, { isSteady: true, empty: EMPTY });
}

/* The votes of a room; null: nobody knows it. */
const room = (id, ctx) => section(`Room ${id}`, async () => {
	try {
		return await get(`/room/${encodeURIComponent(id)}/stats`);
	} catch (e) {
		if (e.status !== 404)
			throw e;
		return null;
	}
}, (r) => {
	const known = (v) => (r.votes > 0 ? v : null);

	return cards(...[
		['Votes', number(r.votes)], ['Average duration', known(clock(r.duration))],
		['Estimations', number(r.estimations)], ['Estimations a vote', known(number(r.estimations_per_vote))],
		...[['Lowest estimation', r.avg_min_estimation], ['Average estimation', r.avg_avg_estimation], ['Highest estimation', r.avg_max_estimation]].map(([title, v]) =>
			[title, known(share(v / CARD_MAX, score(v)))]),
		['Spectators', number(r.spectators)], ['Spectators a vote', known(number(r.spectators_per_vote))],
	].map(([title, value]) => {
		const c = card({ title });

		c.set(value ?? NONE);
		return c;
	}));
}, { isSteady: true, tools: [el('a', { className: 'button', href: ctx.to('product-votes', { ...ctx.params, room: '' }) }, 'Close')],
	empty: 'There is no such room, or it is younger than the last synchronisation.' });

function search(ctx) {
	const name = input({ type: 'search', name: 'name', value: ctx.params.name ?? '', placeholder: 'its whole name' });
	const form = el('form', { className: 'saves' }, el('label', { className: 'choice' }, 'Name or number', name), el('button', {}, 'Find'));

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		ctx.go({ name: name.value.trim() });
	});
	return form;
}

export function show(root, given) {
	const sort = given.params.sort === 'last_used_at' ? 'last_used_at' : 'votes';
	const ctx = { ...given, params: { ...given.params, sort } };
	const { name = '', room: id } = ctx.params;
	const opened = id ? [room(id, ctx)] : [];

	return begin(root, ctx, ...opened, means(),
		el('div', { className: 'halves' },
			part('By weekday', 'breakdown', { by: 'weekday' }, ({ items }) => chart({ title: 'Votes by weekday', kind: 'bar', labels: WEEK,
				series: [{ name: 'Votes', values: WEEK.map((day) => items.find((i) => i.value === day)?.count ?? 0) }] })),
			part('By card', 'breakdown', { by: 'estimation', limit: 100 }, ({ items }) => {
				const cardsByValue = [...items].sort((a, b) => a.value - b.value);

				return chart({ title: 'Estimations by card', kind: 'bar', labels: cardsByValue.map((i) => i.value),
					series: [{ name: 'Estimations', values: cardsByValue.map((i) => i.count) }] });
			})),
		part('Rooms', 'rooms', { sort, limit: ROOMS, name }, ({ items }) => [
			opened.forEach((one) => {
				const its = items.find((r) => String(r.room_id) === id);

				if (its)
					one.querySelector('h2').textContent = nameOf(its);
			}),
			table('Rooms', [
				{ title: 'Room', cell: (r) => el('a', { href: ctx.to('product-votes', { ...ctx.params, room: r.room_id }) }, nameOf(r)) },
				{ title: 'Number', isNumber: true, cell: (r) => (r.number === null ? NONE : String(r.number)) },
				{ title: 'Votes', isNumber: true, cell: (r) => number(r.votes) },
				{ title: 'Estimations', isNumber: true, cell: (r) => number(r.estimations) },
				{ title: 'Spectators', isNumber: true, cell: (r) => number(r.spectators) },
				{ title: 'First used', cell: (r) => instant(r.first_used_at) },
				{ title: 'Last used', cell: (r) => instant(r.last_used_at) },
			], items),
			items.length === ROOMS && el('p', { className: 'note' }, `These are the first ${number(ROOMS)}; the files have all.`),
		], { tools: [search(ctx), choice('Order', 'sort', SORTS, ctx)], all: { limit: 100000 },
			empty: name ? 'No room has this name or number.' : EMPTY }));
}
