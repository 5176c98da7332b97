/* listeners.js -- who listens to a podcast: when, where, with what, to which episodes; and how much of that is known. */
import { get, post } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { NONE, instant, number, percent, utcDay } from '../format.js';
import { POLL_MS, attempt, badge, button, choice, daysChoice, every, formats, sayLost, section, share, signed, strip, table, toast } from '../parts.js';
import { FIRST_DAYS, HINTS, coverage, pathOf, planNote, titleOf } from './podcasts.js';

const DAYS = [7, 30, 90, 365];
const SORTS = [['all_time', 'Most downloads'], ['first_30d', 'Best first 30 days'], ['newest', 'Newest']];
const WINDOWS = [['7d', '7 days'], ['30d', '30 days']];
const EPISODES = 20, CURVES = 5;
const STATES = { idle: ['up to date', 'ok'], running: ['reading', 'warn'], failed: ['broken off', 'bad'], never: ['not begun', ''] };
/* Of the codes of OP3 trouble that ask nothing of anybody. */
const WHY = {
	rate_limited: 'It was asked too often and is left alone for a while.', timeout: 'It does not answer in time.', network: 'It cannot be reached.',
	bad_response: 'What it answers makes no sense.', upstream_error: 'It has a fault of its own.', breaker_open: 'It failed several times and is left alone for a while.',
};

/* How old the figures are: the kind and the content of the strip. */
function freshness(d, ctx) {
	const lines = [];

	if (d.error_code === 'no_feed')
		return ['todo', el('p', {}, 'This podcast has no feed yet: OP3 finds a show by its feed. ', el('a', { href: ctx.to('podcasts') }, 'Import it'))];
	if (d.error_code)
		lines.push(el('p', {}, `OP3's figures are not to be had now (${d.error_code}). `, HINTS[d.error_code] ?? WHY[d.error_code],
			d.coverage_since && ' The days that were read before hold.'));
	else if (d.stale)
		lines.push(el('p', {}, `These are the figures up to ${utcDay(d.as_of)}; OP3 does not answer now.`));
	lines.push(el('p', {}, coverage(d), d.coverage_since && !d.complete && ' Not every day that is asked for is known: a dash is unknown, not zero.'));
	return [d.error_code ? 'bad' : d.stale ? 'warn' : '', ...lines];
}

function showSync({ sync: s }) {
	const [text, kind] = STATES[s.state] ?? [s.state, ''];
	const facts = [
		['Days', s.complete_through ? `${utcDay(s.first_day)} to ${utcDay(s.complete_through)}` : NONE],
		['All there are', s.backfill_done ? 'yes' : 'not yet'],
		s.unit && ['Being read', `from ${utcDay(s.unit)} on, page ${number(s.pages)}, ${number(s.rows_read)} rows`],
		['Last news', instant(s.updated_at)],
		['Next', instant(s.next_at)],
		s.error_code && ['Why it broke off', s.error_code],
	].filter(Boolean);

	return [
		el('p', {}, badge(text, kind), s.progress !== null && ` ${percent(s.progress, 0)}`),
		(s.state === 'running' || s.progress !== null) && s.progress !== 1 &&
			el('progress', { max: 1, value: s.progress ?? undefined, 'aria-label': 'How much of the history has been read' }),
		el('dl', {}, facts.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
	];
}

/* One line per episode, from its first day on; a day that is not over or not known is no point. */
function showCurves({ curves }) {
	const known = curves.filter((e) => e.points.length > 0), unknown = curves.filter((e) => e.points.length === 0);
	const last = Math.max(...known.map((e) => e.points.at(-1).day));
	const days = Array.from({ length: last + 1 }, (_, day) => day);

	return [
		known.length > 0 && chart({ title: 'Downloads since release', kind: 'line', labels: days.map((day) => `Day ${day}`),
			series: known.map((e) => {
				const at = new Map(e.points.map((p) => [p.day, p.cumulative]));

				return { name: titleOf(e), values: days.map((day) => at.get(day) ?? null) };
			}) }),
		unknown.length > 0 && el('p', { className: 'note' }, `No day is known of: ${unknown.map(titleOf).join(', ')}.`),
	];
}

export function show(root, given) {
	const ctx = { ...given, params: { ...given.params, days: given.params.days || '30', sort: given.params.sort || 'all_time' } };
	const { days, sort } = ctx.params;
	const age = strip(), choices = el('div', { className: 'choices' }, daysChoice(ctx, DAYS));
	const refresh = button('Refresh from OP3', () => attempt(async () => post(pathOf((await chosen()).podcast_id, 'refresh')), () =>
		toast('OP3 is asked anew; what it says comes with one of the next looks.', 'ok')));
	let podcasts = null, seenAt = null;

	/* The podcast of the page, or null when there is none. */
	async function chosen() {
		const { items } = await (podcasts ??= get('/api/analytics/podcasts').catch((e) => {
			podcasts = null;
			sayLost(age, ctx, e, seenAt);
			throw e;
		}));
		const which = ctx.params.podcast ? items.find((p) => p.podcast_id === ctx.params.podcast) : items[0];

		if (items.length > 1 && !choices.querySelector('#choice-podcast'))
			choices.prepend(choice('Podcast', 'podcast', [...which ? [] : [['', 'Choose']], ...items.map((p) => [p.podcast_id, p.name])],
				{ ...ctx, params: { podcast: which?.podcast_id } }));
		if (which && ctx.may('podcast:write') && !refresh.isConnected)
			choices.append(refresh);
		if (!which)
			age.say('todo', el('p', {}, items.length === 0 ? ['There is no podcast yet. ', el('a', { href: ctx.to('podcasts') }, 'Bring one in')] :
				'There is no such podcast. Choose another.'));
		return which ?? null;
	}

	/* A part that one endpoint of the podcast feeds, with its files as soon as something is in it: these have more rows, `most`. */
	function part(title, name, params, rowsOf, showRows, { tools = [], empty, most = params.limit, onAnswer } = {}) {
		const saves = el('span', { className: 'saves' });
		const isEmpty = (a) => !rowsOf(a)?.length;

		return section(title, async () => {
			const which = await chosen();

			if (which === null)
				return null;
			const path = pathOf(which.podcast_id, name);
			let a;

			try {
				a = await get(path, params);
			} catch (e) {
				if (e.status !== 403)
					throw e;
				return { analytics_level: 'basic' };		/* the plan has none of it */
			}
			onAnswer?.(a);
			if (isEmpty(a))
				saves.replaceChildren();
			else if (!saves.hasChildNodes())
				saves.append(...formats(path, { ...params, limit: most }));
			return a;
		}, (a) => (!isEmpty(a) ? showRows(a) : a.analytics_level === 'basic' ? el('p', { className: 'empty' }, planNote('basic')) : null),
		{ isSteady: true, empty, tools: [...tools, saves] });
	}

	/* Shares of a whole: the names that have most, and all the others together. */
	const breakdown = (title, name, what, nameOf, more = () => []) => part(title, name, { days, limit: 20 }, (a) => a.items, (a) => [
		table(title, [
			{ title: what, cell: (r) => nameOf(r) },
			{ title: 'Downloads', isNumber: true, cell: (r) => number(r.downloads) },
			{ title: 'Share', isNumber: true, cell: (r) => share(r.share) },
		], [...a.items, ...a.other > 0 ? [{ other: true, downloads: a.other, share: a.other / a.total }] : []]),
		el('p', { className: 'note' }, `${number(a.total)} downloads in ${number(a.period_days)} days.`, a.analytics_level === 'advanced' && a.other > 0 && ` ${planNote(a.analytics_level, 'the largest five')}`),
		...more(a),
	], { empty: 'Nothing was counted in these days.', most: 250 });

	const history = section('How far the days are read', async () => {
		podcasts = null;
		return chosen();
	}, showSync, { isSteady: true, empty: 'There is no podcast yet.' });

	const perDay = part('Downloads a day', 'downloads', { days }, (a) => a.downloads_by_day, (a) => [
		el('p', {}, a.total_downloads === null ? `How many in ${days} days is not known` : [el('strong', {}, number(a.total_downloads)), ` in ${days} days`],
			a.downloads_all_time !== null && `, ${number(a.downloads_all_time)} of all time`, '.'),
		chart({ title: 'Downloads a day', kind: 'line', labels: a.downloads_by_day.map((d) => utcDay(d.date)),
			series: [{ name: 'Downloads', values: a.downloads_by_day.map((d) => d.downloads) }] }),
		a.analytics_level === 'full' ? a.note && el('p', { className: 'note' }, a.note) : days > 30 && el('p', { className: 'note' }, planNote(a.analytics_level)),
	], { empty: 'No day is known yet.', onAnswer: (a) => {
		seenAt = new Date();
		ctx.showState('slow', seenAt);
		age.say(...freshness(a, ctx));
	} });

	const windows = section('Windows side by side', async () => {
		const which = await chosen();

		return which && Promise.all(WINDOWS.map(async ([window, text]) => {
			const path = pathOf(which.podcast_id, 'compare');

			return { text, save: [path, { window }], ...await get(path, { window }) };
		}));
	}, (rows) => table('Windows side by side', [
		{ title: 'The last', cell: (w) => w.text },
		{ title: 'Downloads', isNumber: true, cell: (w) => number(w.current) },
		{ title: 'As long before', isNumber: true, cell: (w) => number(w.previous) },
		{ title: 'Change', isNumber: true, cell: (w) => signed(w.change, number) },
		{ title: 'Change in %', isNumber: true, cell: (w) => signed(w.change_pct, (v) => `${v.toFixed(1)} %`) },
		{ title: 'Save', cell: (w) => el('div', { className: 'buttons' }, formats(...w.save)) },
	], rows), { isSteady: true, empty: 'There is no podcast yet.' });

	const halves = [
		breakdown('Countries', 'countries', 'Country', (r) => (r.other ? 'All others' : r.name ?? r.country)),
		breakdown('Apps', 'apps', 'App', (r) => (r.other ? 'All others' : r.app), ({ recent_months: m }) => [
			el('p', { className: 'note' }, 'Downloads by browsers and by unknown programs are not among them.'),
			m && el('details', { className: 'note' },
				el('summary', {}, "OP3's own count of this and the two months before"),
				table("OP3's own count", [{ title: 'App', cell: (r) => r.app }, { title: 'Downloads', isNumber: true, cell: (r) => number(r.downloads) }], m.items),
				el('p', {}, 'fetched ', instant(m.fetched_at)))]),
		breakdown('Devices', 'devices', 'Device', (r) => (r.other ? 'All others' : r.device)),
	];
	const long = [
		part('Episodes', 'episodes-summary', { limit: EPISODES, sort }, (a) => a.episodes, (a) => [table('Episodes', [
			{ title: 'Episode', cell: titleOf },
			{ title: 'Number', isNumber: true, cell: (e) => number(e.episode_number) },
			{ title: 'Published', cell: (e) => (e.publish_date ? el('time', { dateTime: e.publish_date }, utcDay(e.publish_date.slice(0, 10))) : NONE) },
			...FIRST_DAYS,
		], a.episodes), a.analytics_level !== 'full' && el('p', { className: 'note' }, planNote(a.analytics_level, 'ten episodes'))],
		{ tools: [choice('Order', 'sort', SORTS, ctx)], most: 200, empty: 'OP3 has no figures of single episodes yet.' }),
		part('Episodes since their release', 'episode-curves', { days, limit: CURVES }, (a) => a.curves, showCurves, { empty: 'No episode is out yet.' }),
	];
	root.append(age, choices, perDay, windows, el('div', { className: 'halves' }, halves), ...long, history);
	return every(POLL_MS, async () => {
		for (const one of [history, perDay, windows, ...halves, ...long])
			await one.reload();
	});
}
