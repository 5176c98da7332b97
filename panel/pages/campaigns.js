/* campaigns.js -- how many there are in each state, and what each has put out. */
import { instant, money, number, percent } from '../format.js';
import { post } from '../api.js';
import { follow } from '../live.js';
import { list } from '../list.js';
import { el } from '../dom.js';
import { ask, attempt, badge, button, card, cards, input } from '../parts.js';

const PATH = '/dashboard/stats/campaigns';

/* What can be done to a campaign in a status: [title, its next status]. */
const MOVES = { draft: ['Publish', 'active'], active: ['Pause', 'paused'], paused: ['Resume', 'active'] };

/* Put a campaign; a refusal is the reason that the row was refused for. */
const save = (row, then) => attempt(async () => {
	const { results: [one] } = await post('/dashboard/ingest/campaigns', row);

	if (one.errors.length > 0)
		throw new Error(one.errors.map((e) => `${e.param.replace('[0].', '')}: ${e.detail}`).join('; '));
}, then);

async function create(then) {
	const v = await ask('New campaign', [['name', 'Name', input({ required: true })], ['clip_id', 'Id of its clip', input({ required: true })],
		['budget', 'Budget', input({ required: true, inputMode: 'decimal' })]], 'Make it');

	if (v !== null)
		save({ name: v.name, clip_id: v.clip_id, budget_cents: Math.round(100 * Number(v.budget)) }, then);
}

export function show(root, ctx) {
	const c = {
		total: card({ title: 'Campaigns', of: [PATH, 'total'] }),
		draft: card({ title: 'Draft', of: [PATH, 'draft'] }),
		active: card({ title: 'Active', of: [PATH, 'active'] }),
		paused: card({ title: 'Paused', of: [PATH, 'paused'] }),
		completed: card({ title: 'Completed', of: [PATH, 'completed'] }),
		budget: card({ title: 'Budget spent', of: [PATH, 'budget_utilisation'] }),
	};

	const rows = list(ctx, {
		title: 'Campaigns', path: '/dashboard/campaigns', dataset: 'campaigns',
		tools: ctx.may('dashboard:write') ? [button('New campaign', () => create(() => rows.reload()))] : [],
		columns: [
			{ title: 'Name', cell: (x) => x.name },
			{ title: 'Status', cell: (x) => badge(x.status) },
			{ title: 'Platforms', cell: (x) => x.platforms?.replaceAll(',', ', ') },
			{ title: 'Clips out', cell: (x) => Object.entries(x.publications_per_platform).map(([p, n]) => `${p} ${n}`).join(', ') || 'none' },
			{ title: 'Budget', isNumber: true, cell: (x) => money(x.budget) },
			{ title: 'Spent', isNumber: true, cell: (x) => money(x.budget_spent) },
			{ title: 'Changed', cell: (x) => instant(x.updated_at) },
			...(ctx.may('dashboard:write') ? [{ title: 'Action', cell: (x) => el('div', { className: 'buttons' }, MOVES[x.status] &&
				button(MOVES[x.status][0], () => save({ id: x.id, status: MOVES[x.status][1] }, () => rows.reload()))) }] : []),
		],
	});

	root.append(cards(...Object.values(c)), rows);
	return follow(['campaigns'], (topic, s) => {
		for (const name of ['total', 'draft', 'active', 'paused', 'completed'])
			c[name].set(number(s[name]));
		c.budget.set(percent(s.budget_utilisation));
		c.budget.note(`${money(s.total_budget_spent)} of ${money(s.total_budget)}`);
	}, ctx.showState, [rows]);
}
