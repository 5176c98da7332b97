/*
 * boards.js -- dashboards that people draw themselves: a list, one board, and its editor.
 *
 * A widget's place is kept in the columns and rows of a grid of twelve; on a phone they follow each other.
 */
import { del, get, post, put } from '../api.js';
import { chart, heatmap } from '../charts.js';
import { el } from '../dom.js';
import { NONE, dayOf, duration, hourOf, instant, money, number, percent, timeOf } from '../format.js';
import { attempt, badge, button, confirm, input, problemText, section, select, table } from '../parts.js';

const BOARDS = '/dashboard/dashboards';
const TYPES = ['stat', 'line', 'bar', 'pie', 'gauge', 'table', 'heatmap'];
const FORMATS = ['float', 'int', 'percent', 'duration', 'money'];
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const DAY_MS = 86400000;
const AGAIN_MS = 30000;

const at = (id) => `${BOARDS}/${encodeURIComponent(id)}`;

const SHOWN = { percent: (v) => percent(v / 100), duration, money };
const inFormat = (format) => (v) => (v === null || v === undefined ? NONE : (SHOWN[format] ?? number)(v));

/* -- what a widget shows --------------------------------------------------------------- */

const nameOf = (m) => m.label ?? m.expr;

function overTime(w) {
	const { points } = w.metrics[0];
	const name = w.step_ms >= DAY_MS ? dayOf : points.at(-1)?.[0] - points[0]?.[0] > DAY_MS ? hourOf : timeOf;

	return chart({ title: w.title ?? 'Chart', kind: w.type, format: inFormat(w.metrics[0].format),
		labels: points.map(([ms]) => name(ms)),
		series: w.metrics.map((m) => ({ name: nameOf(m), values: m.points.map(([, v]) => v) })) });
}

function gauge(m) {
	const value = Math.max(0, Math.min(100, m.value ?? 0));

	return el('div', { className: 'gauge' }, el('strong', { className: m.level ?? '' }, inFormat(m.format)(m.value)),
		el('meter', { min: 0, max: 100, value, 'aria-label': nameOf(m) }));
}

function content(w) {
	if (w.error !== null)
		return el('p', { className: 'bad' }, `${w.error.param}: ${w.error.detail}`);
	switch (w.type) {
	case 'line':
	case 'bar':
		return overTime(w);
	case 'heatmap':
		return heatmap({ title: w.title ?? 'By hour of the week', rows: DAYS, columns: Array.from({ length: 24 }, (_, h) => String(h)),
			cells: w.metrics[0].points.map(([d, h, v]) => [d - 1, h, v ?? 0]) });
	case 'pie':
		return chart({ title: w.title ?? 'Parts', kind: 'doughnut', labels: w.metrics.map(nameOf), format: inFormat(w.metrics[0].format),
			series: [{ name: w.title ?? '', values: w.metrics.map((m) => m.value) }] });
	case 'gauge':
		return w.metrics.map(gauge);
	case 'table':
		return table(w.title ?? 'Figures', [{ title: 'Figure', cell: nameOf },
			{ title: 'Value', isNumber: true, cell: (m) => inFormat(m.format)(m.value) }], w.metrics);
	default:
		return w.metrics.map((m) => el('p', { className: 'figure' }, el('span', { className: `value ${{ warn: 'warn', crit: 'bad' }[m.level] ?? ''}` },
			inFormat(m.format)(m.value)), w.metrics.length > 1 && el('span', { className: 'unit' }, ` ${nameOf(m)}`)));
	}
}

/* The style sheet has a class for each width, because the page allows no inline style. */
function tile(w, place) {
	return el('section', { className: `tile w-${place.w ?? 4}`, 'aria-label': w.title ?? w.type },
		w.title && el('h3', {}, w.title), content(w));
}

/* -- one board ------------------------------------------------------------------------- */

function one(root, ctx) {
	const { id } = ctx.params;
	let timer = null;
	const heading = el('h2', {});
	const tools = el('div', { className: 'buttons' });
	const body = section('', async () => {
		const [board, data] = await Promise.all([get(at(id)), get(`${at(id)}/data`, { tz_offset: -new Date().getTimezoneOffset() })]);

		return { board, data };
	}, ({ board, data }) => {
		const isMine = board.owner === ctx.me.user || ctx.may('admin');
		const widgets = data.widgets.map((w, i) => ({ w, place: board.layout[i] }))
			.sort((a, b) => (a.place.y ?? 0) - (b.place.y ?? 0) || (a.place.x ?? 0) - (b.place.x ?? 0));

		heading.textContent = board.name;
		tools.replaceChildren(badge(board.visibility, board.visibility === 'shared' ? 'ok' : ''),
			...(ctx.may('dashboard:write') ? [
				isMine && el('a', { className: 'button', href: ctx.to('boards', { id, edit: 1 }) }, 'Change'),
				button('Copy', () => copy(ctx, id)),
				isMine && button(board.visibility === 'shared' ? 'Stop sharing' : 'Share', () => share(ctx, board)),
				isMine && button('Delete', () => remove(ctx, board), 'danger'),
			] : []).filter(Boolean), el('a', { className: 'button', href: `${at(id)}/export`, download: '' }, 'JSON'));
		return widgets.length === 0 ? null : el('div', { className: 'board' }, widgets.map(({ w, place }) => tile(w, place)));
	}, { empty: 'This board is empty.' });

	root.append(el('p', {}, el('a', { href: ctx.to('boards') }, '← All dashboards')), heading, tools, body);
	timer = setInterval(() => !document.hidden && body.reload(), AGAIN_MS);
	return () => clearInterval(timer);
}

const copy = (ctx, id) => attempt(async () => {
	const made = await post(`${at(id)}/clone`);

	location.hash = ctx.to('boards', { id: made.id });
});

const share = (ctx, board) => attempt(async () => {
	await put(at(board.id), { name: board.name, visibility: board.visibility === 'shared' ? 'private' : 'shared', layout: board.layout });
	ctx.again();
});

const remove = (ctx, board) => attempt(async () => {
	if (!await confirm(`Delete ${board.name}?`, el('p', {}, 'Its figures stay; only the arrangement is lost.'), 'Delete', true))
		return;
	await del(at(board.id));
	location.hash = ctx.to('boards');
});

/* -- the editor ------------------------------------------------------------------------ */

const WIDTHS = [3, 4, 6, 8, 12].map((n) => [String(n), `${n} of 12`]);
const SPANS = [['', '–'], ['-24h', '24 hours'], ['-7d', '7 days'], ['-30d', '30 days'], ['-90d', '90 days']];
const STEPS = [['', 'by itself'], ['1h', 'an hour'], ['1d', 'a day']];

const field = (title, control) => el('label', { className: 'choice' }, title, control);

/* A widget as a fieldset; read() gives it as the server wants it. */
function editor(widget, onMove) {
	const metrics = widget.metrics ?? [{ expr: '', format: 'int' }];
	const rows = el('div', {});
	const line = (name, value, size, more = {}) => input({ name, value: value ?? '', size, ...more });

	function addMetric(m) {
		const expr = line('expr', m.expr, 34, { required: true });
		const row = el('div', { className: 'choices metric' }, field('Figure', expr), field('Called', line('label', m.label, 14)),
			field('As', select(FORMATS, m.format ?? 'int', { name: 'format' })),
			el('button', { type: 'button', 'aria-label': 'Remove this figure', onclick: () => rows.children.length > 1 && row.remove() }, '×'));

		expr.setAttribute('list', 'catalogue');
		rows.append(row);
	}
	metrics.forEach(addMetric);

	const root = el('fieldset', { className: 'widget' }, el('legend', {}, widget.title ?? 'New widget'),
		el('div', { className: 'choices' }, field('Shows', select(TYPES, widget.type, { name: 'type' })),
			field('Title', line('title', widget.title, 20)), field('Width', select(WIDTHS, String(widget.w ?? 4), { name: 'w' })),
			field('Over the last', select(SPANS, widget.from ?? '', { name: 'from' })), field('Steps of', select(STEPS, widget.step ?? '', { name: 'step' })),
			field('Warn at', line('warn', widget.thresholds?.warn, 5, { inputMode: 'decimal' })),
			field('Bad at', line('crit', widget.thresholds?.crit, 5, { inputMode: 'decimal' }))),
		rows, el('div', { className: 'buttons' }, button('Add a figure', () => addMetric({})), button('Earlier', () => onMove(root, -1)),
			button('Later', () => onMove(root, 1)), button('Remove', () => root.remove(), 'danger')));

	root.read = () => {
		const of = (name) => root.querySelector(`[name=${name}]`).value.trim();
		const isTimed = ['line', 'bar', 'heatmap'].includes(of('type'));
		const thresholds = Object.fromEntries(['warn', 'crit'].filter((n) => of(n) !== '').map((n) => [n, Number(of(n))]));

		return {
			id: widget.id ?? crypto.randomUUID(), type: of('type'), w: Number(of('w')), h: widget.h ?? 2,
			...(of('title') && { title: of('title') }), ...(isTimed && of('from') && { from: of('from') }),
			...(isTimed && of('type') !== 'heatmap' && of('step') && { step: of('step') }),
			...(Object.keys(thresholds).length === 2 && { thresholds }), ...(widget.platform && { platform: widget.platform }),
			metrics: [...rows.children].map((row) => {
				const m = (name) => row.querySelector(`[name=${name}]`).value.trim();

				return { expr: m('expr'), format: m('format'), ...(m('label') && { label: m('label') }) };
			}),
		};
	};
	return root;
}

/* Widgets in their order, as many in a row as fit. */
function arrange(widgets) {
	let x = 0, y = 0, high = 0;

	return widgets.map((w) => {
		if (x + w.w > 12) {
			x = 0;
			y += high;
			high = 0;
		}
		const placed = { ...w, x, y };

		x += w.w;
		high = Math.max(high, w.h);
		return placed;
	});
}

function edit(root, ctx) {
	const { id } = ctx.params;

	root.append(section('', async () => {
		const [board, { metrics }] = await Promise.all([id === 'new' ? { name: '', visibility: 'private', layout: [] } : get(at(id)), get('/dashboard/metrics')]);

		return { board, metrics };
	}, ({ board, metrics }) => {
		const name = el('input', { id: 'board-name', value: board.name, required: true, maxLength: 80 });
		const list = el('div', { className: 'widgets' });
		const error = el('p', { className: 'bad', role: 'alert' });
		const move = (node, by) => {
			const other = by < 0 ? node.previousElementSibling : node.nextElementSibling;

			if (other)
				(by < 0 ? other.before(node) : other.after(node));
			node.querySelector('select').focus();
		};
		const add = (w) => list.append(editor(w, move));

		[...board.layout].sort((a, b) => (a.y ?? 0) - (b.y ?? 0) || (a.x ?? 0) - (b.x ?? 0)).forEach(add);
		if (board.layout.length === 0)
			add({ type: 'stat', metrics: [{ expr: 'queue.pending', format: 'int' }], title: 'Waiting' });

		const form = el('form', {}, field('Name', name), el('datalist', { id: 'catalogue' },
			metrics.map((m) => el('option', { value: m.name }, m.description))), list, error,
		el('div', { className: 'buttons' }, button('Add a widget', () => add({ type: 'stat' })),
			el('button', { className: 'main' }, 'Save'), el('a', { className: 'button', href: id === 'new' ? ctx.to('boards') : ctx.to('boards', { id }) }, 'Cancel')));

		form.addEventListener('submit', async (event) => {
			event.preventDefault();
			const body = { name: name.value.trim(), visibility: board.visibility, layout: arrange([...list.children].map((n) => n.read())) };

			try {
				const saved = id === 'new' ? await post(BOARDS, body) : await put(at(id), body);

				location.hash = ctx.to('boards', { id: saved.id });
			} catch (e) {
				error.textContent = problemText(e);
			}
		});
		return form;
	}));
	return null;
}

/* -- the list -------------------------------------------------------------------------- */

export function show(root, ctx) {
	if (ctx.params.id)
		return ctx.params.edit || ctx.params.id === 'new' ? edit(root, ctx) : one(root, ctx);
	root.append(section('Yours and shared ones', () => get(BOARDS), ({ items }) => (items.length === 0 ? null :
		table('Dashboards', [
			{ title: 'Name', cell: (b) => el('a', { href: ctx.to('boards', { id: b.id }) }, b.name) },
			{ title: 'Owner', cell: (b) => b.owner },
			{ title: 'Seen by', cell: (b) => (b.visibility === 'shared' ? 'everybody here' : 'the owner') },
			{ title: 'Changed', cell: (b) => instant(b.updated_at) }], items)),
	{ empty: 'There is no dashboard yet.', tools: ctx.may('dashboard:write') ? [el('a', { className: 'button', href: ctx.to('boards', { id: 'new' }) }, 'New dashboard')] : [] }));
	return null;
}
