/*
 * access.js -- who may come in: users and tokens.
 */
import { del, get, post, put } from '../api.js';
import { el } from '../dom.js';
import { instant, number } from '../format.js';
import { ask, attempt, badge, button, confirm, input, password, section, select, table, toast } from '../parts.js';

const ROLES = ['viewer', 'operator', 'manager', 'admin'], TIERS = ['free', 'creator', 'pro', 'unlimited'];

const role = (value = 'viewer', more = {}) => select(ROLES, value, more);

/* A secret that is shown once. */
function secret(token) {
	const box = el('input', { value: token, readOnly: true, size: 48, 'aria-label': 'Token' });

	return confirm('The new token', el('div', { className: 'form' }, el('p', {}, 'Copy it now: it is not shown again.'), box,
		button('Copy', () => navigator.clipboard?.writeText(token).then(() => toast('Copied.', 'ok')))), 'Done');
}

export function show(root, ctx) {
	const one = (name) => `/dashboard/users/${encodeURIComponent(name)}`;
	const users = section('Users', () => get('/dashboard/users'), ({ items }) => table('Users', [
		{ title: 'Name', cell: (u) => u.name },
		{ title: 'Role', cell: (u) => {
			const choice = role(u.role, { 'aria-label': `Role of ${u.name}`,
				onchange: () => attempt(() => put(one(u.name), { role: choice.value })).then(users.reload) });

			return choice;
		} },
		{ title: 'Plan', cell: (u) => {
			const choice = select(TIERS, u.tier, { 'aria-label': `Plan of ${u.name}`,
				onchange: () => attempt(() => put(one(u.name), { tier: choice.value })).then(users.reload) });

			return choice;
		} },
		{ title: 'State', cell: (u) => (u.disabled_at ? badge('disabled', 'bad') : badge('active')) },
		{ title: 'Signs in', cell: (u) => (u.has_password ? 'with a password' : 'with tokens only') },
		{ title: 'Tokens', isNumber: true, cell: (u) => number(u.tokens) },
		{ title: 'Last seen', cell: (u) => instant(u.last_used_at) },
		{ title: 'Action', cell: (u) => el('div', { className: 'buttons' },
			button('Password', async () => {
				const v = await ask(`New password for ${u.name}`, [['password', 'Password', password()]], 'Set it');

				if (v !== null)
					attempt(() => put(one(u.name), v), users.reload);
			}),
			button(u.disabled_at ? 'Enable' : 'Disable', async () => {
				if (u.disabled_at || await confirm(`Disable ${u.name}?`, el('p', {}, 'All tokens and sessions of this user are refused within two seconds.'), 'Disable', true))
					attempt(() => put(one(u.name), { disabled: !u.disabled_at }), users.reload);
			})) },
	], items), { tools: [button('New user', async () => {
		const v = await ask('New user', [['name', 'Name', input({ required: true })], ['role', 'Role', role()],
			['password', 'Password (empty: tokens only)', input({ type: 'password', autocomplete: 'new-password', minLength: 10 })]], 'Make it');

		if (v !== null)
			attempt(() => post('/dashboard/users', v), users.reload);
	}, 'main')] });
	const tokens = section('Tokens', () => get('/dashboard/keys'), ({ items }) => (items.length === 0 ? null : table('Tokens', [
		{ title: 'Token', cell: (t) => [t.name, el('div', { className: 'note' }, `phk_${t.id}_…`)] },
		{ title: 'User', cell: (t) => t.user },
		{ title: 'Scopes', cell: (t) => [t.scopes || 'all of the role', t.addresses && el('div', { className: 'note' }, `from ${t.addresses}`)] },
		{ title: 'Last used', cell: (t) => instant(t.last_used_at) },
		{ title: 'Expires', cell: (t) => (t.expires_at ? instant(t.expires_at) : 'never') },
		{ title: 'State', cell: (t) => (t.revoked_at ? badge('revoked', 'bad') : badge('active')) },
		{ title: 'Action', cell: (t) => (t.revoked_at ? null : el('div', { className: 'buttons' },
			button('Rotate', () => attempt(async () => secret((await post(`/dashboard/keys/${t.id}`)).token), tokens.reload)),
			button('Revoke', async () => {
				if (await confirm(`Revoke the token ${t.name} of ${t.user}?`, el('p', {}, 'Whoever uses it is refused within two seconds.'), 'Revoke', true))
					attempt(() => del(`/dashboard/keys/${t.id}`), tokens.reload);
			}, 'danger'))) },
	], items)), { empty: 'No tokens yet.', tools: [button('New token', async () => {
		const v = await ask('New token', [['user', 'User', input({ value: ctx.me.user, required: true })], ['name', 'For', input({ required: true })],
			['scopes', 'Scopes (empty: all of the role)', input({ placeholder: 'dashboard:read metrics:read' })],
			['addresses', 'From networks (empty: anywhere)', input({ placeholder: '10.0.0.0/8' })],
			['expires_days', 'Expires in days (empty: never)', input({ inputMode: 'numeric' })]], 'Make it');

		if (v !== null)
			attempt(async () => secret((await post('/dashboard/keys', { ...v, ...(v.expires_days && { expires_days: Number(v.expires_days) }) })).token), tokens.reload);
	}, 'main')] });

	root.append(users, tokens);
	return null;
}
