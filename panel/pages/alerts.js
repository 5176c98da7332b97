/* alerts.js -- what is wrong now, what was, and the rules that say so. */
import { del, get, post, put } from '../api.js';
import { el } from '../dom.js';
import { NONE, instant, number } from '../format.js';
import { list } from '../list.js';
import { follow } from '../live.js';
import { ask, attempt, badge, button, card, cards, choice, confirm, input, section, select, table, toast } from '../parts.js';

const STATS = '/dashboard/alerts/stats';
const SNOOZE_MIN = 60, MINUTE_MS = 60000;

const RULES = '/dashboard/alerts/rules', CHANNELS = '/dashboard/alerts/channels';
const OPS = ['>', '>=', '<', '<=', '==', 'absent'];
const at = (path, x) => `${path}/${encodeURIComponent(x.id)}`;

/* Change a rule, or make one with null. */
async function changeRule(r, then) {
	const line = (value, more = {}) => input({ value: value ?? '', required: true, ...more });
	const v = await ask(r ? r.name : 'New rule', [
		...(r?.is_builtin ? [] : [['name', 'Name', line(r?.name)], ['metric', 'Figure or formula', line(r?.metric, { placeholder: 'queue.pending' })],
			['op', 'Compared by', select(OPS, r?.op ?? '>')], ['severity', 'How bad', select(['info', 'warning', 'critical'], r?.severity ?? 'warning')]]),
		['threshold', 'With', line(r?.threshold, { inputMode: 'decimal' })],
		['for', 'For at least so many minutes', line(r ? r.for_ms / MINUTE_MS : 0, { inputMode: 'decimal' })],
		['cooldown', 'Not again within so many minutes', line(r ? r.cooldown_ms / MINUTE_MS : 5, { inputMode: 'decimal' })],
	], r ? 'Change it' : 'Make it');

	if (v === null)
		return;
	const { for: minutes, cooldown, threshold, ...rest } = v;
	const body = { ...rest, threshold: Number(threshold), for_ms: Math.round(minutes * MINUTE_MS), cooldown_ms: Math.round(cooldown * MINUTE_MS) };

	attempt(() => (r ? put(at(RULES, r), body) : post(RULES, body)), then);
}

async function newChannel(then) {
	const v = await ask('New channel', [['name', 'Name', input({ required: true })],
		['kind', 'Kind', select(['webhook', 'email', 'stream'], 'webhook')], ['target', 'URL or mail address (none for the stream)', input()],
		['secret', 'Secret that signs webhooks (may be empty)', input({ type: 'password', autocomplete: 'new-password' })],
		['is_default', 'Gets the alerts of every rule without a channel', select([['yes', 'yes'], ['', 'no']], 'yes')]], 'Make it');

	if (v !== null)
		attempt(() => post(CHANNELS, { ...v, is_default: v.is_default === 'yes' }), then);
}

async function remove(path, x, then) {
	if (await confirm(`Delete ${x.name}?`, el('p', {}, 'What it has told stays in the history.'), 'Delete', true))
		attempt(() => del(at(path, x)), then);
}

function deliveries(x) {
	return confirm(`Sent to ${x.name}`, section('', () => get(`${at(CHANNELS, x)}/deliveries`, { limit: 20 }), ({ items }) => (items.length === 0 ? null :
		table('Deliveries', [{ title: 'When', cell: (d) => instant(d.created_at) }, { title: 'What', cell: (d) => d.kind },
			{ title: 'Status', cell: (d) => badge(d.status) }, { title: 'Tries', isNumber: true, cell: (d) => number(d.tries) },
			{ title: 'Last error', cell: (d) => d.attempts.at(-1)?.error ?? NONE }], items)), { empty: 'Nothing was sent yet.' }), 'Close');
}

export function show(root, ctx) {
	const c = {
		critical: card({ title: 'Critical', of: [STATS, 'critical'] }),
		warning: card({ title: 'Warnings', of: [STATS, 'warning'] }),
		unread: card({ title: 'Unread', of: [STATS, 'unread_count'] }),
	};
	const mayWrite = ctx.may('alerts:write');

	const tell = (path, body, text) => attempt(() => post(path, body), () => {
		toast(text, 'ok');
		refresh();
	});
	const verb = (a, name, title, body) => button(title, () => tell(`${at('/dashboard/alerts', a)}/${name}`, body, `${title}: done.`));
	const alerts = list(ctx, {
		title: 'Alerts', path: '/dashboard/alerts', dataset: 'alerts', filter: { status: ctx.params.status }, empty: 'All is well.',
		tools: [choice('Show', 'status', [['', 'All'], ['firing', 'Firing'], ['resolved', 'Over']], ctx),
			...(mayWrite ? [button('Look now', () => tell('/dashboard/alerts/evaluate', {}, 'The rules were evaluated.')),
				button('Mark all as read', () => tell('/dashboard/alerts/read-all', {}, 'All alerts are read.'))] : [])],
		columns: [
			{ title: 'Severity', cell: (a) => badge(a.severity) }, { title: 'State', cell: (a) => badge(a.state) },
			{ title: 'What', cell: (a) => a.message }, { title: 'Since', cell: (a) => instant(a.created_at) },
			{ title: 'Until', cell: (a) => instant(a.resolved_at) },
			...(mayWrite ? [{ title: 'Action', cell: (a) => el('span', { className: 'buttons' }, verb(a, 'read', 'Read', {}), a.state === 'firing' && [
				verb(a, 'ack', 'Acknowledge', {}), verb(a, 'snooze', 'Snooze an hour', { minutes: SNOOZE_MIN })]) }] : []),
		],
	});
	const rules = section('Rules', () => get(RULES), ({ items }) => table('Rules', [
		{ title: 'Rule', cell: (r) => r.name }, { title: 'Severity', cell: (r) => badge(r.severity) },
		{ title: 'State', cell: (r) => [r.enabled ? badge(r.state) : badge('off'),
			r.snoozed_until && el('div', { className: 'note' }, 'snoozed until ', instant(r.snoozed_until))] },
		{ title: 'When', cell: (r) => `${r.metric} ${r.op} ${r.threshold ?? ''}` }, { title: 'Now', isNumber: true, cell: (r) =>
			el('span', { title: r.evaluated_at ? `evaluated ${r.evaluated_at}` : 'not evaluated yet' }, number(r.value)) },
		...(mayWrite ? [{ title: 'Action', cell: (r) => el('div', { className: 'buttons' }, button('Change', () => changeRule(r, refresh)),
			button(r.enabled ? 'Off' : 'On', () => attempt(() => put(at(RULES, r), { enabled: !r.enabled }), refresh)),
			!r.is_builtin && button('Delete', () => remove(RULES, r, refresh), 'danger')) }] : []),
	], items), { tools: mayWrite ? [button('New rule', () => changeRule(null, refresh))] : [] });
	const channels = section('Channels', () => get(CHANNELS), ({ items }) => (items.length === 0 ? null : table('Channels', [
		{ title: 'Name', cell: (x) => x.name }, { title: 'Kind', cell: (x) => x.kind }, { title: 'Where', cell: (x) => x.target || NONE },
		{ title: 'On', cell: (x) => (x.enabled ? 'yes' : 'no') }, { title: 'For every rule', cell: (x) => (x.is_default ? 'yes' : 'no') },
		...(mayWrite ? [{ title: 'Action', cell: (x) => el('div', { className: 'buttons' },
			button('Test', () => attempt(() => post(`${at(CHANNELS, x)}/test`), () => toast('A test is on its way.', 'ok'))),
			button(x.enabled ? 'Off' : 'On', () => attempt(() => put(at(CHANNELS, x), { enabled: !x.enabled }), channels.reload)),
			button('Deliveries', () => deliveries(x)), button('Delete', () => remove(CHANNELS, x, channels.reload), 'danger')) }] : []),
	], items)), { empty: 'Alerts are shown here only.', tools: mayWrite ? [button('New channel', () => newChannel(channels.reload))] : [] });

	const count = () => attempt(() => get(STATS), (s) => {
		c.critical.set(number(s.firing.critical), s.firing.critical > 0 ? 'bad' : 'ok');
		c.warning.set(number(s.firing.warning), s.firing.warning > 0 ? 'warn' : 'ok');
		c.unread.set(number(s.unread_count));
	});

	function refresh() {
		count();
		alerts.reload();
		rules.reload();
	}

	/* A figure moves without an alert, too. */
	const timer = setInterval(() => document.hidden || rules.refresh(), 30000);

	root.append(cards(...Object.values(c)), alerts, rules, channels);
	count();
	const end = follow(['alerts'], () => {}, ctx.showState, [alerts, rules, { refresh: count }]);

	return () => {
		clearInterval(timer);
		end();
	};
}
