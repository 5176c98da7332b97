/*
 * charts.js -- drawing with Chart.js, which is fetched with the first chart.  Each chart has its figures as
 * a table, too, for those who do not see it.
 */
import { el } from './dom.js';
import { number } from './format.js';
import { table } from './parts.js';

let library = null;

async function load() {
	library ??= import('/panel/chart.js').then(() => globalThis.Chart);
	return library;
}

/* What is drawn; a chart whose canvas has left the page is let go when the next one comes. */
const drawn = new Set();

function forget() {
	for (const c of drawn)
		if (!c.canvas.isConnected) {
			drawn.delete(c);
			c.destroy();
		}
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const LEGEND_MAX = 30;		/* characters of a name in the legend, which does not wrap; the table has it whole */
const SERIES = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'];

/*
 * { title, kind: 'line' | 'bar' | 'doughnut', labels, series: [{ name, values, colour, kind, isRight }], isStacked, format }.
 * A value of null is a gap.  A series may be of another kind than the chart, and have the axis at the right.  The element stays empty of canvas until the library is here.
 */
export function chart({ title, kind, labels, series, isStacked = false, format = number }) {
	const canvas = el('canvas', { role: 'img', 'aria-label': `${title}. The same figures follow as a table.` });
	const figures = el('details', {}, el('summary', {}, 'As a table'),
		table(title, [{ title: '', cell: (row) => row[0] },
			...series.map((s, i) => ({ title: s.name, isNumber: true, cell: (row) => format(row[i + 1]) }))],
		labels.map((text, i) => [text, ...series.map((s) => s.values[i])])));
	const root = el('figure', { className: `chart ${kind}` }, el('div', { className: 'canvas' }, canvas), figures);

	load().then((Chart) => {
		if (!canvas.isConnected)
			return;
		const grid = colour('--line'), text = colour('--soft');
		const axis = { stacked: isStacked, grid: { color: grid, drawBorder: false }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 12 } };
		const isRound = kind === 'doughnut';
		const right = series.some((s) => s.isRight);
		const upright = { ...axis, beginAtZero: true, ticks: { ...axis.ticks, callback: (v) => format(v) } };

		forget();
		drawn.add(new Chart(canvas, {
			type: kind,
			data: {
				labels,
				datasets: series.map((s, i) => ({
					...s.kind && { type: s.kind, order: s.kind === 'line' ? 0 : 1 }, ...s.isRight && { yAxisID: 'right' },
					label: s.name.length > LEGEND_MAX ? `${[...s.name].slice(0, LEGEND_MAX - 1).join('')}…` : s.name, data: s.values, spanGaps: false,
					borderColor: isRound ? colour('--bg') : colour(s.colour ?? SERIES[i % SERIES.length]),
					backgroundColor: isRound ? labels.map((_, k) => colour(s.colours?.[k] ?? SERIES[k % SERIES.length])) :
						colour(s.colour ?? SERIES[i % SERIES.length]),
					borderWidth: (s.kind ?? kind) === 'bar' ? 0 : 2, pointRadius: labels.length > 40 ? 0 : 2, tension: 0.2,
				})),
			},
			options: {
				animation: false, responsive: true, maintainAspectRatio: false,
				interaction: isRound ? {} : { mode: 'index', intersect: false },
				plugins: {
					legend: { display: series.length > 1 || isRound, position: 'bottom', labels: { color: text, boxWidth: 12 } },
					tooltip: { callbacks: { label: (item) => `${isRound ? item.label : item.dataset.label}: ${format(isRound ? item.parsed : item.parsed.y)}` } },
				},
				scales: isRound ? {} : { x: axis, y: upright, ...right && { right: { ...upright, position: 'right', grid: { drawOnChartArea: false } } } },
			},
		}));
	}).catch(() => canvas.replaceWith(el('p', { className: 'empty' }, 'The chart could not be loaded; the table has its figures.')));
	return root;
}

/*
 * cells: [y, x, n]; darker is more, up to `most`; n is null where there is no such cell.  isShown: the figures are to be
 * seen, too.
 */
export function heatmap({ title, rows, columns, cells, most = Math.max(1, ...cells.map(([, , n]) => n)), format = number, isShown = false }) {
	const level = (n) => (n === 0 ? 0 : 1 + Math.min(4, Math.floor(5 * n / (most + 1))));

	return el('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': title },
		el('table', { className: isShown ? 'heatmap figures' : 'heatmap' }, el('caption', { className: 'hidden' }, title),
			el('thead', {}, el('tr', {}, el('td', {}), columns.map((c) => el('th', { scope: 'col' }, c)))),
			el('tbody', {}, rows.map((name, y) => el('tr', {}, el('th', { scope: 'row' }, name),
				columns.map((_, x) => {
					const n = cells[y * columns.length + x][2];

					return n === null ? el('td') : el('td', { className: `level-${level(n)}`, title: `${name}, ${columns[x]}: ${format(n)}` },
						el('span', { className: isShown ? '' : 'hidden' }, format(n)));
				}))))));
}
