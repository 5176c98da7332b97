/* product-history.js -- what happened each workday, with averages and sums, and who had come back by then. */
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { number, utcDay } from '../format.js';
import { choice, input } from '../parts.js';
import { METRICS, begin, firstRows, part } from './product.js';

const ROWS = 30;		/* of a table, until more are wanted */
const SUMS = [['', 'Not drawn'], ['1', 'Drawn']];
const WHO = [['', 'Active in the last 30 days'], ['ever', 'Ever']];
const date = { title: 'Day', cell: (row) => el('time', { dateTime: row.date }, utcDay(row.date)) };
const count = (title, name) => ({ title, isNumber: true, cell: (row) => number(row[name]) });

/* From a day to a day; shown once both are as they should be, not while somebody types. */
function period(ctx, { from, to }) {
	const day = (title, name, value) => el('label', { className: 'choice' }, title, input({ type: 'date', name, value }));
	const form = el('form', { className: 'choices' }, day('From', 'from', from), day('To', 'to', to), el('button', {}, 'Show'),
		(from || to) && el('a', { className: 'button', href: ctx.to('product-history', { ...ctx.params, from: '', to: '' }) }, 'All days'));

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		ctx.go(Object.fromEntries(new FormData(form)));
	});
	return form;
}

export function show(root, given) {
	const metric = given.params.metric in METRICS ? given.params.metric : 'votes';
	const ctx = { ...given, params: { ...given.params, metric } };
	const { from = '', to = '', sum, who } = ctx.params, prefix = who === 'ever' ? '' : 'adjusted_';
	const days = firstRows('Each workday', [date, ...Object.entries(METRICS).flatMap(([name, title]) =>
		[count(title, name), count(`${title}, sum`, `acc_${name}`)])], ROWS);
	const returned = firstRows('Came back', [date, count('Users', 'adjusted_reoccurring_users'), count('Users, ever', 'reoccurring_users'),
		count('Rooms', 'adjusted_reoccurring_rooms'), count('Rooms, ever', 'reoccurring_rooms')], ROWS);
	const newest = (items) => [...items].reverse();
	const drawn = (title, items, series) => chart({ title, kind: series[0].kind, labels: items.map((row) => utcDay(row.date)),
		series: series.map((s) => ({ ...s, values: items.map((row) => row[s.of]) })) });

	return begin(root, ctx, period(ctx, { from, to }),
		part('Each workday', 'historical', { from, to }, ({ items }) => [
			drawn(`${METRICS[metric]} each workday`, items, [
				{ name: METRICS[metric], of: metric, kind: 'bar', colour: '--c6' },
				{ name: 'Average of 30 workdays', of: `ma_${metric}`, kind: 'line', colour: '--c1' },
				{ name: 'Average of 7 workdays', of: `ma7_${metric}`, kind: 'line', colour: '--c3' },
				...sum ? [{ name: 'Sum (right)', of: `acc_${metric}`, kind: 'line', colour: '--c2', isRight: true }] : [],
			]),
			el('h3', { className: 'apart' }, 'All metrics, the newest day first'),
			days(newest(items)),
		], { tools: [choice('Metric', 'metric', Object.entries(METRICS), ctx), choice('Sum', 'sum', SUMS, ctx)], empty: 'Nothing was counted in these days.' }),
		part('Came back', 'reoccurring', { from, to }, ({ items }) => [
			drawn('Users and rooms that came back', items, [
				{ name: 'Users', of: `${prefix}reoccurring_users`, kind: 'line' },
				{ name: 'Rooms (right)', of: `${prefix}reoccurring_rooms`, kind: 'line', isRight: true },
			]),
			el('p', { className: 'note' }, 'Who estimated on two workdays or more came back', prefix && ', and is left out after 30 days without', '.'),
			el('h3', { className: 'apart' }, 'The newest day first'),
			returned(newest(items)),
		], { tools: [choice('Who', 'who', WHO, ctx)], empty: 'Nobody had come back in these days.' }));
}
