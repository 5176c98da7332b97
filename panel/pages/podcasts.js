/*
 * podcasts.js -- the podcasts at a glance: plays, the best episodes, what comes; and how old OP3's figures are.
 *
 * What is not known is a dash, never a zero: not the figures of OP3 while it has none for us, and not our own
 * while their table cannot be read.
 */
import { get, post } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { compact, instant, number, utcDay } from '../format.js';
import { POLL_MS, attempt, badge, card, cards, choice, daysChoice, every, input, sayLost, section, strip, table, toast } from '../parts.js';

const STATS = '/api/dashboard/stats', PODCASTS = '/api/analytics/podcasts';
const DAY_MS = 86400000;
export const pathOf = (id, name) => `/api/analytics/podcast/${encodeURIComponent(id)}/${name}`;

/* What a code of OP3 trouble means to the one who reads it, where its text leaves that open. */
export const HINTS = {
	not_registered: 'OP3 knows a show once the addresses of its audio begin with https://op3.dev/e/ and somebody has listened.',
	no_data: 'The first figures come a day after the first downloads.',
	unauthorized: 'The setting OP3_TOKEN is missing, or OP3 refuses it.',
	disabled: 'The setting OP3_ENABLED is 0.',
	pending: 'They are being fetched and come with one of the next looks.',
};

/* What a plan leaves out; shown: what the middle one has of the part at hand. */
export const planNote = (level, shown = 'the last 30 days') => (level === 'basic' ?
	'Your plan has totals and the three best episodes. The last 30 days and short tables come with the plan Creator, everything with Pro.' :
	`Your plan shows ${shown}; everything comes with the plan Pro.`);

export const coverage = ({ coverage_since: since, as_of: until }) => (since ?
	`Covers ${utcDay(since)} to ${utcDay(until)}; before that nothing is known.` : 'No day is known yet.');

/* Bring in a feed by its address. */
function importer(ctx) {
	const url = input({ type: 'url', required: true, placeholder: 'https://' });
	const send = el('button', { className: 'main' }, 'Import');
	const form = el('form', {}, el('label', { className: 'choice' }, 'Address of the feed', url), send);

	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		send.disabled = true;
		await attempt(() => post('/api/podcasts/import', { url: url.value.trim() }), (a) => {
			const left = a.refused + a.skipped;

			toast(`${a.name} is in, with ${number(a.created)} new ${a.created === 1 ? 'episode' : 'episodes'}${left > 0 ? `; ${number(left)} could not be taken` : ''}.`, 'ok');
			ctx.again();
		});
		send.disabled = false;
	});
	return form;
}

const invitation = (s, ctx) => [
	el('p', {}, s.op3_error_code === 'no_podcast' ? 'There is no podcast yet.' : 'No podcast here has a feed yet: OP3 finds a show by its feed.'),
	el('p', { className: 'note' }, ctx.may('podcast:write') ? ['Import its feed here, or bring it in with POST /api/podcasts/ingest/podcasts (', el('a', { href: '/docs' }, 'how'), ').'] :
		'To bring one in, a user or token needs the scope podcast:write.'),
	ctx.may('podcast:write') && importer(ctx),
];

/* How old the figures are, and what still holds: the kind and the content of the strip. */
function freshness(s, ctx) {
	const { op3, op3_error: error, op3_error_code: code } = s;
	const isPartial = op3.podcasts_with_data > 0 && op3.podcasts_with_data < op3.podcasts_total;
	const lines = [];
	let kind = '';

	if (s.degraded.includes('local')) {
		kind = 'bad';
		lines.push(el('p', {}, 'Our own figures cannot be read now: episodes, releases and assemblies are not known.'));
	}
	if (code === 'no_podcast' || code === 'no_feed')
		return [kind || 'todo', ...lines, ...invitation(s, ctx)];
	if (op3.status === 'unavailable') {
		kind ||= isPartial ? 'warn' : 'bad';
		lines.push(el('p', {}, isPartial ? 'Some figures are not to be had from OP3 now' : "OP3's figures are not to be had now", error && `: ${error}`, code && ` (${code})`, '. ', HINTS[code]));
		if (!isPartial && !s.degraded.includes('local'))
			lines.push(el('p', { className: 'note' }, 'The figures of episodes and releases are our own and hold', s.plays_all_time !== null && '; so do the plays in 365 days and of all time, which are read day by day', '.'));
	} else if (op3.status === 'stale') {
		kind ||= 'warn';
		lines.push(el('p', {}, 'These are the figures of ', instant(op3.fetched_at), '; OP3 does not answer now.'));
	} else
		lines.push(el('p', {}, `OP3's figures up to ${utcDay(op3.as_of)}, fetched `, instant(op3.fetched_at), '.'));
	if (isPartial)
		lines.push(el('p', {}, `The sums are of ${number(op3.podcasts_with_data)} of ${number(op3.podcasts_total)} podcasts; OP3 has no figures of the others.`));
	return [kind, ...lines];
}

export const titleOf = (e) => e.title || 'Untitled';
const notKnown = () => el('p', { className: 'empty' }, 'Not known now.');

/* Downloads in the first days of an episode and in all. */
export const FIRST_DAYS = [['1 day', '1d'], ['3 days', '3d'], ['7 days', '7d'], ['30 days', '30d'], ['All', 'all_time']].map(([text, name]) =>
	({ title: text, isNumber: true, cell: (e) => number(e[`downloads_${name}`]) }));

export function show(root, ctx) {
	const { podcast = '' } = ctx.params, days = ctx.params.days === '90' ? '90' : '30';
	const c = {
		week: card({ title: 'Plays in 7 days', of: [STATS, 'plays_7d'] }),
		month: card({ title: 'Plays in 30 days', of: [STATS, 'plays_30d'] }),
		year: card({ title: 'Plays in 365 days', of: [STATS, 'plays_365d'] }),
		all: card({ title: 'Plays of all time', of: [STATS, 'plays_all_time'] }),
		episodes: card({ title: 'Episodes', of: [STATS, 'total_episodes'] }),
		upcoming: card({ title: 'Upcoming', of: [STATS, 'upcoming_scheduled'] }),
		assembly: card({ title: 'Last assembly', of: [STATS, 'last_assembly_status'] }),
		published: card({ title: 'Last published', of: [STATS, 'last_published_at'] }),
	};
	const age = strip(), choices = el('div', { className: 'choices' });
	let answer = null, podcasts = null, seenAt = null;

	function showFigures(s) {
		const own = (v) => (s.degraded.includes('local') ? null : v);
		const upTo = s.op3.as_of ? `up to ${utcDay(s.op3.as_of)}` : '';
		const unread = s.plays_30d !== null && s.plays_all_time === null ? 'known once all days have been read' : '';

		age.say(...freshness(s, ctx));
		c.week.set(compact(s.plays_7d));
		c.week.note(upTo);
		c.month.set(compact(s.plays_30d));
		c.month.note(upTo);
		c.year.set(compact(s.plays_365d));
		c.year.note(unread);
		c.all.set(compact(s.plays_all_time));
		c.all.note(s.plays_all_time !== null && s.op3.podcasts_total === 1 && s.op3.coverage_since ? `since ${utcDay(s.op3.coverage_since)}` : unread);
		c.episodes.set(number(own(s.total_episodes)));
		c.episodes.note(s.degraded.includes('local') ? '' : `${number(s.episodes_last_30d)} in the last 30 days`);
		c.upcoming.set(number(own(s.upcoming_scheduled)));
		c.assembly.set(own(s.last_assembly_status) && badge(s.last_assembly_status));
		c.published.set(own(s.last_published_at) && instant(s.last_published_at));
	}

	/* One answer for all parts; after a failure whoever asks next asks anew. */
	async function ask() {
		try {
			const s = await get(STATS, { podcast_id: podcast });

			if (age.isConnected) {
				seenAt = new Date();
				ctx.showState('slow', seenAt);
				showFigures(s);
			}
			return s;
		} catch (e) {
			answer = null;
			sayLost(age, ctx, e, seenAt);
			throw e;
		}
	}
	const stats = () => (answer ??= ask());
	const partOf = (...names) => async () => {
		const s = await stats();

		return Object.fromEntries(names.map((name) => [name, s[name]]));
	};

	async function known() {
		const { items } = podcasts ??= await get(PODCASTS);

		if (items.length > 1 && !choices.hasChildNodes())
			choices.append(choice('Podcast', 'podcast', [['', 'All podcasts'], ...items.map((p) => [p.podcast_id, p.name])], ctx));
		return items;
	}

	const trend = section('Downloads a day', async () => {
		const now = Date.parse((await stats()).generated_at), items = await known();
		const which = items.find((p) => p.podcast_id === podcast) ?? items[0];
		const day = (ago) => new Date(now - ago * DAY_MS).toISOString().slice(0, 10);

		return which && { which, of: podcast === '' ? items.length : 1, ...await get(pathOf(which.podcast_id, 'daily'), { from: day(days), to: day(1), bucket: 'day' }) };
	}, ({ which, of, series, analytics_level: level, ...about }) => [
		of > 1 && el('p', {}, el('strong', {}, which.name), `, the first of ${number(of)} podcasts. Choose another above.`),
		series.length === 0 ? el('p', { className: 'empty' }, level === 'basic' ? planNote(level) : [about.coverage_since && 'None of these days is known. ', coverage(about)]) :
			chart({ title: `Downloads of ${which.name} a day`, kind: 'line', labels: series.map((d) => utcDay(d.start)),
				series: [{ name: 'Downloads', values: series.map((d) => d.downloads) }] }),
		series.length > 0 && el('p', { className: 'note' }, coverage(about), level === 'advanced' && days > 30 && ` ${planNote(level)}`),
	], { isSteady: true, empty: 'There is no podcast yet.', tools: [daysChoice({ ...ctx, params: { ...ctx.params, days } }, [30, 90])] });

	const top = section('Top episodes', partOf('top_episodes', 'op3_enabled'), ({ top_episodes: episodes, op3_enabled: isKnown }) => (episodes.length === 0 ? isKnown ? null : notKnown() :
		table('Top episodes', [
			{ title: 'Episode', cell: titleOf },
			...FIRST_DAYS,
		], episodes)), { isSteady: true, empty: 'OP3 has no figures of single episodes yet.' });

	const recent = section('Recent episodes', partOf('recent_episodes', 'degraded'), ({ recent_episodes: episodes, degraded }) => (episodes.length === 0 ? degraded.includes('local') ? notKnown() : null :
		table('Recent episodes', [
			{ title: 'Episode', cell: titleOf },
			{ title: 'Published', cell: (e) => instant(e.publish_at) },
			{ title: 'Downloads', isNumber: true, cell: (e) => number(e.downloads_all_time) },
		], episodes)), { isSteady: true, empty: 'Nothing is published yet.' });

	root.append(age, choices, cards(...Object.values(c)), trend, el('div', { className: 'halves' }, top, recent));
	return every(POLL_MS, () => {
		answer = null;
		return Promise.all([trend, top, recent].map((part) => part.reload()));
	});
}
