/*
 * parts.js -- what pages are made of: sections that load and fail by themselves, cards, badges, tables,
 * confirmation and passing messages.
 */
import { Problem, get, query } from './api.js';
import { byId, el } from './dom.js';
import { NONE, percent } from './format.js';

/* -- meaning: the texts of the API's description ------------------------------------- */

let description = null;

async function meaningOf(path, field) {
	description ??= get('/openapi.json').catch(() => (description = null));
	const schema = (await description)?.paths?.[path]?.get?.responses?.['200']?.content?.['application/json']?.schema;
	const name = field.split('.').at(-1);
	const find = (s) => s?.properties?.[name]?.description ??
		Object.values(s?.properties ?? {}).map((p) => find(p.items ?? p)).find(Boolean);

	return find(schema) ?? 'No description is to be had now.';
}

/* A label that tells what it means when it is opened or pointed at. */
export function label(text, path, field) {
	if (!path)
		return el('span', { className: 'label' }, text);
	const box = el('p', {}, '…');
	const summary = el('summary', { title: 'What does it mean?' }, text);
	const details = el('details', { className: 'label' }, summary, box);

	async function tell() {
		summary.title = box.textContent = await meaningOf(path, field);
	}
	details.addEventListener('toggle', () => details.open && tell());
	summary.addEventListener('pointerenter', tell, { once: true });
	return details;
}

/* -- cards --------------------------------------------------------------------------- */

/* How a figure went against the time before: ▲ 3.1 % against the 7 days before.  isMoreBetter null: neither is. */
export function trend(now, before, isMoreBetter, span) {
	if (!before)
		return now ? `none in the ${span} before` : '';
	const change = (now - before) / before;
	const kind = Math.abs(change) < 0.005 || isMoreBetter === null ? '' : (change > 0) === isMoreBetter ? 'ok' : 'bad';

	return el('span', {}, el('span', { className: kind }, `${change >= 0 ? '▲' : '▼'} ${Math.abs(100 * change).toFixed(1)} %`),
		` against the ${span} before`);
}

/* A figure: { title, of: [path, field] }.  .set(text, kind) shows a value; kind: ok, warn, bad. */
export function card({ title, of = [] }) {
	const value = el('span', { className: 'value' }, el('span', { className: 'skeleton', 'aria-hidden': 'true' }));
	const note = el('p', { className: 'note' });
	const root = el('div', { className: 'card', role: 'group', 'aria-label': title },
		label(title, ...of), el('p', { className: 'figure' }, value), note);

	root.set = (content, kind = '') => {
		value.replaceChildren(content ?? NONE);
		value.className = `value ${kind}`;
	};
	root.note = (...content) => note.replaceChildren(...content);
	return root;
}

export const cards = (...list) => el('div', { className: 'cards' }, list);

const KINDS = {
	success: 'ok', completed: 'ok', good: 'ok', ready: 'ok', published: 'ok', ok: 'ok', active: 'ok', resolved: 'ok',
	failed: 'bad', critical: 'bad', error: 'bad', ERROR: 'bad',
	warning: 'warn', retry: 'warn', processing: 'warn', pending: 'warn', firing: 'bad', WARNING: 'warn',
};
export const badge = (text, kind) => el('span', { className: `badge ${kind ?? KINDS[text] ?? ''}` }, text ?? NONE);

/* -- sections ------------------------------------------------------------------------- */

export function problemText(e) {
	if (!(e instanceof Problem))
		return String(e);
	return e.retryAfter > 0 ? `${e.message} Try again in ${e.retryAfter} s.` : e.message;
}

/*
 * A part of a page that loads by itself: load() gives data, show(data) elements; null or nothing is shown as
 * `empty`.  .reload() loads again and keeps what is shown, marked as old if that fails; .refresh() does so
 * unless somebody is at work in it.  isSteady: the same data again leaves what is shown as it is.
 */
export function section(title, load, show, { empty = 'Nothing yet.', tools = [], isSteady = false } = {}) {
	const body = el('div', { className: 'body' }, el('div', { className: 'skeleton block', 'aria-hidden': 'true' }));
	const state = el('p', { className: 'state', role: 'status' });
	const root = el('section', { className: 'part', 'aria-busy': 'true' },
		el('header', {}, title && el('h2', {}, title), el('div', { className: 'tools' }, tools)), state, body);
	let turn = 0, isShown = false, shown = null;

	root.reload = async () => {
		const mine = ++turn;

		try {
			const data = await load();
			if (mine !== turn)
				return;
			const text = isSteady ? JSON.stringify(data) : null;

			if (!isShown || !isSteady || text !== shown) {
				const content = data === null || data === undefined ? null : show(data);

				body.replaceChildren(...[content ?? el('p', { className: 'empty' }, empty)].flat().filter(Boolean));
			}
			shown = text;
			state.replaceChildren();
			isShown = true;
		} catch (e) {
			if (mine !== turn)
				return;
			const again = el('button', { type: 'button', onclick: root.reload }, 'Try again');

			state.replaceChildren(isShown ? 'This is old: ' : '', problemText(e), ' ', again);
			if (!isShown)
				body.replaceChildren();
		} finally {
			if (mine === turn)
				root.removeAttribute('aria-busy');
		}
	};
	root.isInUse = () => root.contains(document.activeElement) || root.querySelector('details[open]') !== null;
	root.refresh = () => root.isInUse() || root.reload();
	root.reload();
	return root;
}

/*
 * What holds for the whole page: .say(kind, ...content).  The same words again leave it as it is, with what
 * somebody is typing there.
 */
export function strip() {
	const root = el('div', { className: 'strip', role: 'status' });

	root.say = (kind, ...content) => {
		const next = el('div', { className: `strip ${kind}` }, content);

		if (next.className === root.className && next.textContent === root.textContent)
			return;
		root.className = next.className;
		root.replaceChildren(...next.childNodes);
	};
	return root;
}

/* What the strip says when the figures could not be asked for; seenAt: when they last came, null: never. */
export function sayLost(age, ctx, e, seenAt) {
	if (!age.isConnected)
		return;
	ctx.showState(e.status === 404 ? 'read' : 'offline', new Date());
	age.say('bad', el('p', {}, problemText(e), seenAt && ` What is shown is of ${seenAt.toLocaleTimeString()}.`));
}

export const POLL_MS = 30000;

/*
 * Do it every ms milliseconds, counted from its end, and never in a hidden tab: at once when that is seen again.
 * Returns the function that ends it.
 */
export function every(ms, doIt) {
	let timer = null, isAtWork = false, isEnded = false;

	async function turn() {
		clearTimeout(timer);
		if (isEnded || isAtWork || document.hidden)
			return;
		isAtWork = true;
		await doIt().catch(() => {});		/* what failed has told so itself */
		isAtWork = false;
		if (!isEnded)
			timer = setTimeout(turn, ms);
	}

	document.addEventListener('visibilitychange', turn);
	timer = setTimeout(turn, ms);
	return () => {
		isEnded = true;
		clearTimeout(timer);
		document.removeEventListener('visibilitychange', turn);
	};
}

/* -- tables ---------------------------------------------------------------------------- */

/*
 * columns: { title, cell(row), isNumber }; a name that is text stays text, whatever it holds.  On a phone each row
 * is a block of titles and cells, unless isNarrow: there it fits, or is moved sideways.  The roles say that it is a table
 * all the same.
 */
export function table(caption, columns, rows, isNarrow = false) {
	const kind = (c) => (c.isNumber ? 'number' : '');
	const cell = (c, content) => el('td', { role: 'cell', className: `${kind(c)} ${content === NONE ? 'none' : ''}`, 'data-title': c.title },
		Array.isArray(content) ? el('div', {}, content) : content);

	return el('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': caption },
		el('table', { className: isNarrow ? '' : 'rows', role: 'table' }, el('caption', { className: 'hidden' }, caption),
			el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map((c) =>
				el('th', { scope: 'col', role: 'columnheader', className: kind(c) }, c.title)))),
			el('tbody', { role: 'rowgroup' }, rows.map((row) => el('tr', { role: 'row' }, columns.map((c) =>
				cell(c, c.cell(row) ?? NONE)))))));
}

/* A bar and its figure, of a whole; the bar tells nothing more to those who do not see it. */
export const share = (v, text = percent(v)) => (v === null ? NONE :
	el('span', { className: 'share' }, text, el('meter', { min: 0, max: 1, value: v, 'aria-hidden': 'true' })));

/* A change, in words of its size. */
export const signed = (v, text) => (v === null ? NONE :
	el('span', { className: v > 0 ? 'ok' : v < 0 ? 'bad' : '' }, `${v > 0 ? '▲ ' : v < 0 ? '▼ ' : ''}${text(Math.abs(v))}`));

/* -- asking and telling ----------------------------------------------------------------- */

export function toast(text, kind = '') {
	const box = el('div', { className: `toast ${kind}` }, text,
		el('button', { type: 'button', 'aria-label': 'Close this message', onclick: () => box.remove() }, '×'));

	byId('toasts').append(box);
	setTimeout(() => box.remove(), kind === 'bad' ? 15000 : 6000);
}

/* A form in a dialog; resolves to true once it is sent, to false when it is closed. */
export function confirm(title, content, action, isDangerous = false) {
	return new Promise((resolve) => {
		const form = el('form', {}, el('h2', { id: 'dialog-title' }, title), content,
			el('div', { className: 'buttons' },
				el('button', { type: 'button', onclick: () => dialog.close('') }, 'Cancel'),
				el('button', { className: isDangerous ? 'main danger' : 'main' }, action)));
		const dialog = el('dialog', { 'aria-labelledby': 'dialog-title' }, form);

		form.addEventListener('submit', (event) => {
			event.preventDefault();
			dialog.close('yes');
		});
		dialog.addEventListener('close', () => {
			dialog.remove();
			resolve(dialog.returnValue === 'yes');
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

/* Ask for several values; fields: [name, title, element].  Resolves to those that are not empty, or to null. */
export async function ask(title, fields, action) {
	const inputs = fields.map(([, text, input]) => el('label', { className: 'choice' }, text, input));

	return await confirm(title, el('div', { className: 'form' }, inputs), action) ?
		Object.fromEntries(fields.map(([name, , input]) => [name, input.value.trim()]).filter(([, v]) => v !== '')) : null;
}

export const input = (more = {}) => el('input', { autocomplete: 'off', spellcheck: false, ...more });
export const password = (autocomplete = 'new-password') => input({ type: 'password', autocomplete, minLength: 10, required: true });
export const select = (options, value, more = {}) => el('select', more,
	options.map((o) => (Array.isArray(o) ? o : [o, o])).map(([v, text]) => el('option', { value: v, selected: v === value }, text)));
export const button = (text, onclick, className = '') => el('button', { type: 'button', className, onclick }, text);

/* Do something; then() when it is done, else say why it is not. */
export async function attempt(f, then) {
	try {
		const result = await f();

		then?.(result);
	} catch (e) {
		toast(problemText(e), 'bad');
	}
}

/* A choice that is part of the page's address. */
export function choice(title, name, options, ctx) {
	const id = `choice-${name}`;

	return el('label', { className: 'choice', htmlFor: id }, title,
		el('select', { id, onchange: (e) => ctx.go({ [name]: e.target.value }) },
			options.map(([value, text]) => el('option', { value, selected: (ctx.params[name] ?? '') === value }, text))));
}

export const PLATFORMS = ['instagram', 'tiktok', 'youtube', 'facebook', 'other'];
export const platformChoice = (ctx) => choice('Platform', 'platform', [['', 'All'], ...PLATFORMS.map((p) => [p, p])], ctx);
export const daysChoice = (ctx, days) => choice('Days', 'days', days.map((d) => [String(d), `${d} days`]), ctx);

/* Links that save what is shown: from the exports, or from a path that answers in these formats itself. */
const links = (href) => ['csv', 'xlsx'].map((format) => el('a', { className: 'button', href: href(format), download: '' }, format.toUpperCase()));

export const files = (dataset, search) => links((format) => `/dashboard/export/${dataset}.${format}${search}`);
export const formats = (path, params) => links((format) => path + query({ ...params, format }));
