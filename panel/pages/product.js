/*
 * product.js -- the product at a glance: the last workday, a period beside the one before, who comes back; and what the
 * pages of product analytics share.
 *
 * Days and weeks are those of UTC.  As long as nothing was ever counted there are no zeros to look at: the strip says why.
 */
import { get } from '../api.js';
import { chart, heatmap } from '../charts.js';
import { el } from '../dom.js';
import { NONE, duration, instant, number, percent, utcDay } from '../format.js';
import { POLL_MS, badge, button, card, cards, daysChoice, every, formats, sayLost, section, signed, strip, table } from '../parts.js';

const PATH = '/analytics/', SYNC = '/analytics/sync', HISTORY = '/analytics/historical';
const DAYS = [7, 30, 90, 365], WEEKS = 12, CHART_DAYS = 30;
const STATES = { ok: ['up to date', 'ok'], stale: ['old', 'warn'], never: ['never yet', 'bad'] };

export const METRICS = { votes: 'Votes', estimations: 'Estimations', new_users: 'New users', rooms: 'New rooms', page_views: 'Page views' };
export const minutes = (v) => (v === null ? NONE : el('span', {}, number(v), ' ', el('span', { className: 'unit' }, 'min')));
export const EMPTY = 'Nothing was counted yet.';

/* -- how old it is ---------------------------------------------------------------------- */

const ago = (s) => (s < 60 ? 'less than a minute ago' : `${duration(1000 * (s - s % 60))} ago`);

const setUp = () => [el('p', {}, 'Set ', el('code', {}, 'DB_HOST'), ' in pilothouse.conf to the MySQL or MariaDB of the product, and DB_PORT, ' +
	'DB_NAME, DB_USERNAME, DB_PASSWORD and DB_TLS as it wants them. ', el('code', {}, 'pilothouse jobs run readmodel'), ' then fetches the first figures; ' +
	'while the server runs, a job does so every ten minutes.')];

/* Why the last run failed; the text of the whole run has those of the tables, as far as there is room. */
function failure({ run_error: error, tables }) {
	const broken = tables.filter((t) => t.error !== null);
	const more = broken.filter((t) => !error.includes(t.error));

	return [el('p', {}, `The last synchronisation failed: ${error.replace(/^Errors: /, '')}.`),
		more.length > 0 && el('ul', {}, more.map((t) => el('li', {}, `${t.name}: ${t.error}`))),
		broken.length > 0 && broken.length < tables.length && el('p', { className: 'note' }, 'The other tables were read.')];
}

const updated = (text, s) => el('p', {}, `${text} `, instant(s.last_success_at), `, ${ago(s.age_seconds)}.`);

/* The kind and the content of the strip. */
function freshness(s) {
	const lines = s.run_error === null ? [] : failure(s);
	const isFailed = lines.length > 0, read = s.tables.filter((t) => t.initial_done).length;

	if (s.is_demo)
		return [isFailed ? 'warn' : 'todo', ...lines,
			el('p', {}, "These figures are a demonstration's, of a product that there is not. The first synchronisation with a real one replaces them."),
			s.last_success_at && updated('Made', s)];
	if (s.status === 'never')
		return [isFailed ? 'bad' : 'todo', ...lines,
			el('p', {}, read > 0 ? `The first synchronisation is not complete: ${number(read)} of ${number(s.tables.length)} tables have been read.` :
				'There are no figures yet: no product was ever synchronised.'), ...setUp()];
	if (s.status === 'stale' && !isFailed)
		lines.push(el('p', {}, 'The synchronisation has not run as it should, every ten minutes. ', el('code', {}, 'pilothouse jobs'), ' tells of it.'));
	lines.push(updated(lines.length > 0 ? 'What is shown is of' : 'Updated', s));
	return [lines.length > 1 ? 'warn' : '', ...lines];
}

/* -- a page ------------------------------------------------------------------------------ */

/*
 * Fill a page: the strip, and below it what has the page's parts in it, which are asked for again, one after the other.
 * Returns the function that ends this.
 */
export function begin(root, ctx, ...content) {
	const age = strip();
	let seenAt = null;

	async function look() {
		try {
			const s = await get(SYNC);

			if (!age.isConnected)
				return;
			seenAt = new Date();
			ctx.showState('slow', seenAt);
			age.say(...freshness(s));
		} catch (e) {
			sayLost(age, ctx, e, seenAt);
		}
	}

	root.append(age, ...content);
	look();
	return every(POLL_MS, async () => {
		await look();
		for (const part of root.querySelectorAll('.part'))
			await part.reload();
	});
}

const isCounted = (row) => Object.entries(row).some(([name, v]) => name !== 'age' && typeof v === 'number' && v !== 0);

/* A part that a table of analytics feeds, with its files; these may have more: `all`. */
export function part(title, name, params, showRows, { tools = [], all = {}, empty = EMPTY } = {}) {
	return section(title, async () => ({ ...await get(PATH + name, params), data_updated_at: undefined }),
		(a) => (a.items.some(isCounted) ? showRows(a) : null),
		{ isSteady: true, empty, tools: [...tools, ...formats(PATH + name, { ...params, ...all })] });
}

/* A narrow table that begins with so many rows, and gives the others on demand: from then on all, whatever comes. */
export function firstRows(title, columns, most) {
	let isAll = false;

	return (rows) => {
		const box = el('div');
		const fill = () => box.replaceChildren(table(title, columns, isAll ? rows : rows.slice(0, most), true),
			...rows.length > most && !isAll ? [button(`All ${number(rows.length)}`, () => {
				isAll = true;
				fill();
				box.firstChild.focus();
			}, 'rest')] : []);

		fill();
		return box;
	};
}

/* -- at a glance ------------------------------------------------------------------------- */

const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' });
const isToday = (date) => date === new Date().toISOString().slice(0, 10);
const columnOf = (rows, name) => rows.map((row) => row[name]);

function glance(ctx) {
	const today = Object.fromEntries(['estimations', 'votes', 'new_users', 'rooms'].map((name) =>
		[name, card({ title: METRICS[name], of: [HISTORY, name] })]));
	const all = Object.fromEntries([['new_users', 'All users'], ['page_views', 'All page views'], ['votes', 'All votes'],
		['estimations', 'All estimations']].map(([name, title]) => [name, card({ title, of: [HISTORY, `acc_${name}`] })]));
	const ever = {
		users: card({ title: 'Unique users', of: ['/', 'unique_users'] }), views: card({ title: 'Page views', of: ['/', 'page_views'] }),
		bounce: card({ title: 'Bounce rate', of: ['/', 'bounce_rate'] }),
		length: card({ title: 'Average duration', of: ['/', 'average_duration'] }),
	};
	const day = el('h3'), since = el('h3'), drawing = el('div');
	const whole = [day, cards(...Object.values(today)), since, cards(...Object.values(all)),
		el('h3', {}, 'All days, weekends too'), cards(...Object.values(ever)), drawing];

	return section('At a glance', async () => {
		const { data: { traffic, votes, historical }, data_updated_at: updated } = await get('/');
		const last = historical.at(-1);

		return updated === null && !traffic.page_views && !votes.total_votes && !last?.acc_new_users ? null :
			{ traffic, first: historical[0], last, latest: historical.slice(-CHART_DAYS) };
	}, ({ traffic, first, last, latest }) => {
		day.textContent = !last ? 'No workday yet' : isToday(last.date) ? `Today, ${utcDay(last.date)}` :
			`${weekday.format(new Date(last.date))}, ${utcDay(last.date)}, the last workday`;
		for (const [name, c] of Object.entries(today)) {
			c.set(number(last?.[name]));
			c.note((last?.[`ma_${name}`] ?? null) === null ? '' : `30-workday average ${number(last[`ma_${name}`])}`);
		}
		since.textContent = first ? `All workdays since ${utcDay(first.date)}` : 'All workdays';
		for (const [name, c] of Object.entries(all))
			c.set(number(last?.[`acc_${name}`]));
		ever.users.set(number(traffic.unique_users));
		ever.views.set(number(traffic.page_views));
		ever.bounce.set(percent(traffic.bounce_rate, 0));
		ever.length.set(minutes(traffic.average_duration));
		drawing.replaceChildren(...latest.length === 0 ? [] : [
			el('h3', {}, `The last ${number(latest.length)} workdays`),
			chart({ title: `Votes and estimations of the last ${number(latest.length)} workdays`, kind: 'bar', labels: columnOf(latest, 'date').map(utcDay),
				series: ['votes', 'estimations'].map((name) => ({ name: METRICS[name], values: columnOf(latest, name) })) }),
			el('p', { className: 'note' }, el('a', { href: ctx.to('product-history') }, 'All days and averages'))]);
		return whole;
	}, { isSteady: true, empty: EMPTY });
}

const compared = (ctx, days) => part('Beside the time before', 'compare', { days }, (a) => [
	table('Beside the time before', [
		{ title: 'What', cell: (r) => METRICS[r.metric] },
		{ title: `${number(days)} days`, isNumber: true, cell: (r) => number(r.now) },
		{ title: 'Before', isNumber: true, cell: (r) => number(r.before) },
		{ title: 'Change', isNumber: true, cell: (r) => signed(r.change, percent) },
	], a.items, true),
	el('p', { className: 'note' }, `${utcDay(a.from)} to ${utcDay(a.to)}, weekends too, and before them ${utcDay(a.before_from)} to ${utcDay(a.before_to)}.`),
], { tools: [daysChoice({ ...ctx, params: { ...ctx.params, days } }, DAYS)] });

/* One row for each week, one column for each age; what is later than now has no cell. */
function showCohorts({ items }) {
	const weeks = [];

	for (const { age, ...row } of items) {
		if (age === 0)
			weeks.push({ ...row, retention: [] });
		weeks.at(-1).retention.push(row.retention);
	}
	const ages = weeks.map((_, age) => age);
	const cells = weeks.flatMap((w, y) => ages.map((x) => [y, x, x in w.retention ? 100 * w.retention[x] : null]));

	return [
		heatmap({ title: 'Users who came again, by the week in which they were new', rows: weeks.map((w) => `${utcDay(w.week)}: ${number(w.users)}`),
			columns: ages.map((x) => (x === 0 ? 'Same week' : `+${x}`)), cells, isShown: true, format: (n) => percent(n / 100, 0),
			most: Math.max(1, ...cells.map(([, x, n]) => (x > 0 ? n : 0))) }),
		el('p', { className: 'note' }, 'A row is a week and how many users were new in it; a cell tells how many of them came so many weeks later. ' +
			'This week is not over.'),
	];
}

/* -- how the read model is --------------------------------------------------------------- */

const showSync = (s) => [
	el('p', {}, badge(...s.run_error ? ['failed', 'bad'] : STATES[s.status] ?? [s.status])),
	el('dl', {}, [['Last success', instant(s.last_success_at)], ['Last run', instant(s.run_at)], s.run_error && ['Why it failed', s.run_error],
		['First day', utcDay(s.start_date)], ['Size', `${number(s.data_size_mb)} MiB`]].filter(Boolean)
		.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
	table('Tables', [
		{ title: 'Table', cell: (t) => t.name },
		{ title: 'Read to its end', cell: (t) => (t.initial_done ? 'yes' : 'not yet') },
		{ title: 'Highest id', isNumber: true, cell: (t) => (t.cursor_id > 0 ? number(t.cursor_id) : NONE) },
		{ title: 'Error', cell: (t) => t.error ?? NONE },
	], s.tables),
];

export function show(root, ctx) {
	return begin(root, ctx, glance(ctx), compared(ctx, ctx.params.days || '30'),
		part('Who comes back', 'cohorts', { weeks: WEEKS }, showCohorts),
		section('Synchronisation', async () => ({ ...await get(SYNC), age_seconds: undefined }), showSync, { isSteady: true }));
}
