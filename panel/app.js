/*
 * app.js -- the shell: who is signed in, which page is shown, where it leads.
 *
 * The address behind # is the page and its choices (#/publications?status=failed), so that they survive a
 * reload and can be sent to somebody.  A page is a module of pages/ with a title and show(root, ctx), which
 * may return a function that ends what it began.
 */
import { Problem, del, get, post, put, session } from './api.js';
import { byId, el } from './dom.js';
import { ask, attempt, button, input, password, problemText, toast } from './parts.js';

const PAGES = [
	['Publishing', [['overview', 'Overview'], ['queue', 'Queue'], ['orchestrator', 'Orchestrator'], ['platforms', 'Platforms'],
		['campaigns', 'Campaigns'], ['publications', 'Publications'], ['analytics', 'Analytics'],
		['boards', 'Dashboards']]],
	['Podcasts', [['podcasts', 'Podcast dashboard', 'podcast:read'], ['listeners', 'Podcast analytics', 'podcast:read']]],
	['Product', [['product', 'Product overview', 'analytics:read'], ['product-history', 'History', 'analytics:read'],
		['product-votes', 'Votes and rooms', 'analytics:read'], ['product-people', 'Behaviour and devices', 'analytics:read']]],
	['Operation', [['alerts', 'Alerts'], ['analysis', 'Analysis'], ['actions', 'Recommendations and actions', 'actions:run'], ['audit', 'Audit', 'admin'],
		['access', 'Tokens and users', 'admin']]],
];
const FIRST = 'overview';

let me = null, end = null, turn = 0;

const may = (scope) => !scope || me.scopes.includes('admin') || me.scopes.includes(scope);

/* -- where we are ---------------------------------------------------------------------- */

function place() {
	const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');

	return { page: path || FIRST, params: Object.fromEntries(new URLSearchParams(search)) };
}

function address(page, params) {
	const q = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== '' && v !== undefined && v !== null));

	return `#/${page}${q.size > 0 ? `?${q}` : ''}`;
}

/* -- signing in ------------------------------------------------------------------------ */

function signIn(message = '') {
	const error = el('p', { className: 'bad', role: 'alert' }, message);
	const field = (id, text, type, autocomplete) => [el('label', { htmlFor: id }, text),
		el('input', { id, name: id, type, autocomplete, spellcheck: false })];
	const form = el('form', { className: 'sign-in', noValidate: true },
		el('h1', {}, 'Pilothouse'),
		field('username', 'Name', 'text', 'username'), field('password', 'Password', 'password', 'current-password'),
		el('details', {}, el('summary', {}, 'Sign in with a token'), field('token', 'Token', 'password', 'off')),
		error, el('button', { className: 'main' }, 'Sign in'));

	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		const { username, password, token } = Object.fromEntries(new FormData(form));
		const button = form.querySelector('button');

		button.disabled = true;
		try {
			await post('/dashboard/login', token ? { token } : { username, password });
			await start();
		} catch (e) {
			error.textContent = e.status === 422 ? 'Give a name and a password, or a token.' : problemText(e);
			button.disabled = false;
			form.elements[token ? 'token' : 'password'].focus();
		}
	});
	end?.();
	end = null;
	byId('app').replaceChildren(el('main', { id: 'content', tabIndex: -1 }, form));
	document.title = 'Sign in · Pilothouse';
	form.elements.username.focus();
}

async function signOut(everywhere) {
	try {
		await del(`/dashboard/login${everywhere ? '?everywhere=1' : ''}`);
	} catch (e) {
		if (e.status !== 401)
			return toast(problemText(e), 'bad');
	}
	me = null;
	signIn();
}

async function changePassword() {
	const v = await ask('Change your password', [['password', 'The present one', input({ type: 'password', autocomplete: 'current-password', required: true })],
		['new_password', 'The new one, 10 characters or more', password()]], 'Change it');

	if (v !== null)
		attempt(() => put('/dashboard/me', v), () => {
			me = null;
			signIn('Your password is changed. Sign in with the new one.');
		});
}

/* -- alerts, wherever one is ------------------------------------------------------------- */

const WATCH_MS = 30000, UNREAD_SHOWN_MAX = 99, NEW_SHOWN_MAX = 3;
let watch = null, seenUntil = '';

/* The count at the menu, and a message for each alert that came since the last look. */
async function lookForAlerts() {
	if (document.hidden || me === null)
		return;
	try {
		const { unread_count: n } = await get('/dashboard/alerts/stats');
		const count = document.querySelector('nav [data-page=alerts] .count');

		count.textContent = n > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : String(n);
		count.hidden = n === 0;
		const { items } = await get('/dashboard/alerts', { limit: 1 + NEW_SHOWN_MAX });
		const news = seenUntil === '' ? [] : items.filter((a) => a.created_at > seenUntil);

		for (const a of news.slice(0, NEW_SHOWN_MAX).reverse())
			toast(a.message, a.severity === 'info' ? '' : 'bad');
		if (news.length > NEW_SHOWN_MAX)
			toast('There are more new alerts.', 'bad');
		seenUntil = items[0]?.created_at ?? ' ';
	} catch { /* the page itself says what is wrong */ }
}

/* -- the shell ------------------------------------------------------------------------- */

function shell() {
	const links = PAGES.map(([group, pages]) => [el('p', { className: 'group' }, group),
		el('ul', {}, pages.filter(([, , scope]) => may(scope)).map(([name, title]) =>
			el('li', {}, el('a', { href: `#/${name}`, 'data-page': name }, title,
				name === 'alerts' && el('span', { className: 'count', hidden: true, title: 'unread' })))))]);
	const menu = el('details', { className: 'menu', open: matchMedia('(min-width: 60rem)').matches },
		el('summary', {}, 'Menu'),
		el('nav', { 'aria-label': 'Pages' }, links, el('p', { className: 'group' }, 'Reference'),
			el('ul', {}, el('li', {}, el('a', { href: '/docs' }, 'API')))),
		el('div', { className: 'who', role: 'region', 'aria-label': 'Signed in' }, el('p', {}, me.user, me.role && ` · ${me.role}`),
			button('Change password', changePassword), button('Sign out', () => signOut(false)),
			button('Sign out everywhere', () => signOut(true))));

	menu.addEventListener('click', (e) => {
		if (e.target.closest('a') && !matchMedia('(min-width: 60rem)').matches)
			menu.open = false;
	});
	byId('app').replaceChildren(
		el('header', { className: 'top' }, el('a', { className: 'brand', href: `#/${FIRST}` }, 'Pilothouse'),
			el('span', { id: 'live', className: 'live', role: 'status' })),
		el('div', { className: 'page' }, menu, el('main', { id: 'content', tabIndex: -1 })));
}

/* What the page says of its figures: live, polling, slow (polling), offline; read: once, at that time; null: nothing. */
function showState(state, at) {
	const text = { live: 'Live', polling: 'Asking every 5 s', slow: 'Asking every 30 s', offline: 'Offline', read: 'Not live' }[state];

	byId('live')?.replaceChildren(...(text ? [el('span', { className: `dot ${state}` }), text,
		at ? el('span', { className: 'note' }, ` · updated ${at.toLocaleTimeString()}`) : '',
		state === 'read' ? button('Refresh', show) : ''] : []));
}

async function show() {
	const { page, params } = place();
	const mine = ++turn;
	const known = PAGES.flatMap(([, pages]) => pages).find(([name]) => name === page);
	const main = byId('content');

	end?.();
	end = null;
	showState(null);
	for (const a of document.querySelectorAll('nav a'))
		if (a.dataset.page === page)
			a.setAttribute('aria-current', 'page');
		else
			a.removeAttribute('aria-current');
	if (!known || !may(known[2])) {
		main.replaceChildren(el('h1', {}, known ? 'Not for you' : 'There is no such page'),
			el('p', {}, known ? `Your role does not have the scope ${known[2]}.` : 'Choose one from the menu.'));
		return;
	}
	try {
		const module = await import(`./pages/${page}.js`);
		if (mine !== turn)
			return;
		const ctx = {
			me, may, params, showState,
			/* Change choices of this page; its address changes, and it is shown anew. */
			go: (change) => { location.hash = address(page, { ...params, ...change }); },
			to: (other, more = {}) => address(other, more),
			again: show,
		};

		document.title = `${known[1]} · Pilothouse`;
		main.replaceChildren(el('h1', {}, known[1]));
		end = module.show(main, ctx) ?? null;
		if (end === null)
			showState('read', new Date());
	} catch (e) {
		main.replaceChildren(el('h1', {}, known[1]), el('p', { className: 'bad', role: 'alert' }, `The page could not be shown: ${e.message}`));
	}
}

async function start() {
	try {
		me = await get('/dashboard/me');
	} catch (e) {
		if (e instanceof Problem && (e.status === 401 || e.status === 403))
			return signIn();
		return byId('app').replaceChildren(el('main', { id: 'content', tabIndex: -1 }, el('h1', {}, 'Pilothouse'),
			el('p', { className: 'bad', role: 'alert' }, problemText(e)),
			el('button', { type: 'button', onclick: start }, 'Try again')));
	}
	shell();
	clearInterval(watch);
	watch = setInterval(lookForAlerts, WATCH_MS);
	lookForAlerts();
	return show();
}

session.addEventListener('end', () => {
	if (me !== null) {
		me = null;
		signIn('Your session is over. Sign in again.');
	}
});
addEventListener('hashchange', async () => {
	if (me === null)
		return;
	await show();
	scrollTo(0, 0);
	byId('content').focus({ preventScroll: true });
});
/* Charts are drawn in the colours of the time. */
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => me !== null && show());
start();
