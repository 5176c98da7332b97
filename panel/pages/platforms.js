/* platforms.js -- each platform: what went out, what waits, what fails. */
import { get, query } from '../api.js';
import { chart } from '../charts.js';
import { el } from '../dom.js';
import { instant, number, percent, score, sumOf } from '../format.js';
import { follow } from '../live.js';
import { PLATFORMS, badge, daysChoice, files, section, table, trend } from '../parts.js';

const PATH = '/dashboard/stats/platforms';

/* Facebook is counted with other already. */
function total(rows) {
	const sum = (what) => rows.filter((r) => r.name !== 'facebook').reduce((n, r) => n + r[what], 0);

	return { name: 'all', published: sum('published'), failed: sum('failed'), failedBefore: sum('failedBefore') };
}

export function show(root, ctx) {
	const days = ctx.params.days || '7';
	const sections = [
		section(`Published and failed in ${days} days`, () => get('/dashboard/stats/history', { metric: 'events.published,events.failed',
			platform: PLATFORMS.join(), days_back: 2 * days, step: days > 2 ? '1d' : '1h' }), ({ series }) => {
			const halves = (metric, platform) => {
				const { points } = series.find((s) => s.metric === metric && s.platform === platform);
				const middle = points.length - Math.floor(points.length / 2);

				return [sumOf(points.slice(middle)), sumOf(points.slice(0, middle))];
			};
			const rows = PLATFORMS.map((name) => {
				const [published] = halves('events.published', name), [failed, failedBefore] = halves('events.failed', name);

				return { name, published, failed, failedBefore };
			}).filter((r) => r.published + r.failed > 0).sort((a, b) => b.failed - a.failed);

			return rows.length === 0 ? null : [
				el('p', {}, rows[0].failed === 0 ? 'Nothing has failed.' : [el('strong', {}, rows[0].name), ` fails most: ${number(rows[0].failed)} posts. `,
					el('a', { href: ctx.to('analytics', { metric: 'events.failed', platform: rows[0].name, days }) }, 'Since when?'), ' ',
					el('a', { href: ctx.to('publications', { status: 'failed', platform: rows[0].name, days }) }, 'Which ones?')]),
				chart({ title: `Published and failed, ${days} days`, kind: 'bar', labels: rows.map((r) => r.name),
					series: [{ name: 'Published', values: rows.map((r) => r.published), colour: '--c2' }, { name: 'Failed', values: rows.map((r) => r.failed), colour: '--c4' }] }),
				chart({ title: `Success, ${days} days`, kind: 'bar', labels: rows.map((r) => r.name), format: (v) => `${number(v)} %`,
					series: [{ name: 'Success', values: rows.map((r) => 100 * r.published / (r.published + r.failed)) }] }),
				table('Published and failed', [
					{ title: 'Platform', cell: (r) => r.name }, { title: 'Published', isNumber: true, cell: (r) => number(r.published) },
					{ title: 'Failed', isNumber: true, cell: (r) => number(r.failed) },
					{ title: 'Failed, how it went', isNumber: true, cell: (r) => trend(r.failed, r.failedBefore, false, `${days} days`) },
					{ title: 'Success', isNumber: true, cell: (r) => percent(r.published / (r.published + r.failed)) }], [...rows, total(rows)]),
				el('p', { className: 'note' }, 'Facebook is a part of other.'),
			];
		}, { tools: [daysChoice({ ...ctx, params: { ...ctx.params, days } }, [1, 7, 30, 90])] }),
		section('All time', () => get(PATH, { include: 'extended' }), (p) => {
			const names = PLATFORMS.filter((name) => p[name]);

			return [el('div', { className: 'cards wide' }, names.map((name) => {
				const f = p[name], kind = f.success_rate >= 0.8 ? 'ok' : f.success_rate >= 0.5 ? 'warn' : 'bad';

				return el('div', { className: 'card', role: 'group', 'aria-label': name },
					el('h3', {}, name, ' ', badge(percent(f.success_rate), kind)),
					el('dl', {}, [['Posts today', number(f.posts_today)], ['Published', number(f.posts_published)], ['Pending', number(f.posts_pending)],
						['Clips ready', number(f.clips_ready)], ['Mean score', score(f.avg_clip_score)]].map(([k, v]) => [el('dt', {}, k), el('dd', {}, v)])),
					f.last_failure ? el('p', { className: 'note' }, 'Last failure ', instant(f.last_failure.at), `: ${f.last_failure.error ?? 'no reason given'}`) :
						el('p', { className: 'note' }, 'Never failed.'));
			})), chart({ title: 'Published and pending', kind: 'bar', labels: names,
				series: [{ name: 'Published', values: names.map((n) => p[n].posts_published), colour: '--c2' }, { name: 'Pending', values: names.map((n) => p[n].posts_pending), colour: '--c3' }] })];
		}, { tools: ctx.may('dashboard:export') ? files('stats-platforms', query({ include: 'extended' })) : [] }),
	];

	root.append(...sections);
	return follow(['platforms'], () => {}, ctx.showState, sections);
}
